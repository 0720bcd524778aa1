import type { Tables } from "./tables.ts";

/**
 * Every table and its primary key: what a backup or a copy goes through, in this order.
 *
 * Parents stand before their children, so that rows can be inserted in the same order. A table that a migration
 * drops stays in the list: an older database is backed up before it is upgraded.
 */
export const tableKeys = {
  company: ["id"],
  settings: ["company_id"],
  revision: ["company_id"],
  keyring_keys: ["kid"],
  api_keys: ["id"],
  authn_keys: ["id"],
  users: ["id"],
  login_names: ["company_id", "folded"],
  emergency_access: ["company_id", "user_id"],
  authn_attempts: ["id"],
  idempotent_calls: ["company_id", "digest"],
  audit_events: ["sequence"],
  audit_personal: ["event_id"],
} as const satisfies { readonly [Table in keyof Tables]: readonly (keyof Tables[Table])[] };

/** The column that the database counts up by itself. */
export const countedColumn = { table: "audit_events", column: "sequence" } as const;
