/**
 * Every table, as Kysely sees it.
 *
 * One portable form for every database: ids and instants are text (RFC 3339, UTC, milliseconds),
 * flags are 0 or 1, structured values are JSON text, bytes are base64url text.
 */
import type { Generated, Kysely } from "kysely";
import type { Instant } from "../platform/clock.ts";

/** A flag: 1 is yes. */
export type Flag = 0 | 1;

/** What a store function takes first: the database to read from, or the unit of work it is part of. */
export type Connection = Kysely<Tables>;

export interface Tables {
  company: {
    id: string;
    name: string;
    public_url: string;
    created_at: Instant;
  };
  settings: {
    company_id: string;
    version: number;
    /** JSON of the contract's `Settings`. */
    value: string;
    updated_at: Instant;
  };
  keyring_keys: {
    kid: string;
    company_id: string;
    purpose: string;
    /** The key, wrapped under the root key. */
    wrapped: string;
    created_at: Instant;
    /** New work uses the newest key that is active; until then every node only gets to know it. */
    active_at: Instant;
    /** From here on nothing that the key made is accepted. */
    retired_at: Instant | null;
  };
  /** Counts every change of what nodes remember: settings and keys. */
  revision: {
    company_id: string;
    number: number;
  };
  users: {
    id: string;
    company_id: string;
    username: string;
    alternate_username: string | null;
    email: string;
    first_name: string;
    last_name: string;
    status: "enabled" | "disabled";
    manager_email: string | null;
    /** JSON array of names. */
    groups: string;
    created_at: Instant;
    updated_at: Instant;
  };
  login_names: {
    company_id: string;
    /** NFKC and case-folded. */
    folded: string;
    user_id: string;
  };
  emergency_access: EmergencyAccessTable;
  api_keys: {
    id: string;
    company_id: string;
    role: "Super Administrator" | "Help Desk Administrator";
    /** SPKI, PEM. */
    public_key: string;
    description: string;
    created_at: Instant;
  };
  authn_keys: {
    id: string;
    company_id: string;
    name: string;
    /** SHA-256 of the key. */
    digest: string;
    created_at: Instant;
  };
  authn_attempts: AuthnAttemptTable;
  idempotent_calls: IdempotentCallTable;
  audit_events: {
    sequence: Generated<number>;
    id: string;
    company_id: string;
    action: string;
    user_id: string | null;
    /** RFC 8785 JSON: the record itself; the other columns only find it. */
    canonical: string;
  };
  audit_personal: {
    event_id: string;
    salt: string;
    /** RFC 8785 JSON. */
    personal: string;
  };
}

/** One row a user, made with the user, so that everything a verification depends on lies in one row. */
interface EmergencyAccessTable {
  company_id: string;
  user_id: string;
  user_enabled: Flag;
  /** Null until the first code. */
  code_id: string | null;
  status: "active" | "consumed" | "revoked" | null;
  digest: string | null;
  salt: string | null;
  /** `pbkdf2-sha256` and its count, so that both can grow. */
  algorithm: string | null;
  iterations: number | null;
  pepper_kid: string | null;
  one_time: Flag;
  issued_at: Instant | null;
  expires_at: Instant | null;
  last_used_at: Instant | null;
  /** Wrong codes since the last success, unlock or end of a lock. */
  tries: number;
  /** Wrong codes since the last success or unlock. */
  failures: number;
  locked_until: Instant | null;
}

interface AuthnAttemptTable {
  id: string;
  company_id: string;
  authn_key_id: string;
  /** Who it is about and what the client sent along, sealed: people type codes into name fields. */
  sealed: string;
  seal_kid: string;
  /** The latest answer's message id, which the next request must name. */
  message_id: string;
  state: "open" | "succeeded" | "failed";
  tries: number;
  timeout_seconds: number;
  keep: Flag;
  expires_at: Instant;
}

/** A call that a client may send again without it being done again. */
interface IdempotentCallTable {
  company_id: string;
  /** Digest of principal and route, keyed by the client's own key. */
  digest: string;
  /** Keyed digest of what was asked. */
  request_digest: string;
  /** The answer, which only the client's own key opens; null once it is no longer given. */
  sealed: string | null;
  seal_kid: string;
  /** Until when the answer is given again. */
  answer_ends_at: Instant;
  /** Until when the row stays, to refuse the key instead of doing its call a second time. */
  expires_at: Instant;
}

/** What a record is made of, for the writes that carry their records along. */
export const recordColumns = {
  audit_events: ["id", "company_id", "action", "user_id", "canonical"],
  audit_personal: ["event_id", "salt", "personal"],
} as const;
