import { type Kysely, sql } from "kysely";
import { countedPrimaryKey } from "../platform/database/portable-schema.ts";

/**
 * What several nodes need: a revision of what they remember, keys that come and go while they run, calls that
 * may be repeated. And a record that is written without looking at other tables: a foreign key of every record
 * to the one company would have every transaction lock that one row.
 */
export async function up(db: Kysely<never>): Promise<void> {
  for (const statement of nodes) await sql.raw(statement).execute(db);
  await sql`CREATE TABLE new_audit_events (
    sequence ${countedPrimaryKey(db)}, id TEXT NOT NULL UNIQUE, company_id TEXT NOT NULL,
    action TEXT NOT NULL, user_id TEXT, canonical TEXT NOT NULL)`.execute(db);
  for (const statement of record) await sql.raw(statement).execute(db);
}

const nodes = [
  `CREATE TABLE revision (company_id TEXT PRIMARY KEY REFERENCES company (id), number INTEGER NOT NULL)`,
  `INSERT INTO revision (company_id, number) SELECT id, 1 FROM company`,

  `ALTER TABLE keyring_keys ADD COLUMN active_at TEXT NOT NULL DEFAULT '1970-01-01T00:00:00.000Z'`,
  `ALTER TABLE keyring_keys ADD COLUMN retired_at TEXT`,
  `UPDATE keyring_keys SET active_at = created_at`,

  `CREATE TABLE idempotent_calls (
    company_id TEXT NOT NULL, digest TEXT NOT NULL, request_digest TEXT NOT NULL,
    sealed TEXT, seal_kid TEXT NOT NULL, answer_ends_at TEXT NOT NULL, expires_at TEXT NOT NULL,
    PRIMARY KEY (company_id, digest))`,
  `CREATE INDEX idempotent_calls_by_end ON idempotent_calls (expires_at)`,
  `CREATE INDEX idempotent_calls_with_answer ON idempotent_calls (answer_ends_at) WHERE sealed IS NOT NULL`,

  // A limit that is lowered holds by the statement that decides, so nobody searches for tries.
  `DROP INDEX emergency_access_with_tries`,
];

const record = [
  `INSERT INTO new_audit_events (sequence, id, company_id, action, user_id, canonical)
    SELECT sequence, id, company_id, action, user_id, canonical FROM audit_events ORDER BY sequence`,
  `CREATE TABLE new_audit_personal (event_id TEXT PRIMARY KEY, salt TEXT NOT NULL, personal TEXT NOT NULL)`,
  `INSERT INTO new_audit_personal (event_id, salt, personal) SELECT event_id, salt, personal FROM audit_personal`,
  `DROP TABLE audit_personal`,
  `DROP TABLE audit_events`,
  `ALTER TABLE new_audit_events RENAME TO audit_events`,
  `ALTER TABLE new_audit_personal RENAME TO audit_personal`,
  `CREATE INDEX audit_events_by_action ON audit_events (action, sequence)`,
  `CREATE INDEX audit_events_by_user ON audit_events (user_id, sequence) WHERE user_id IS NOT NULL`,
];
