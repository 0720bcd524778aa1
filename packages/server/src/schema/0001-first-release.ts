import { type Kysely, sql } from "kysely";
import { countedPrimaryKey } from "../platform/database/portable-schema.ts";

/** The schema of the first release. Released migrations are never edited: a change is a new one. */
export async function up(db: Kysely<never>): Promise<void> {
  for (const statement of before) await sql.raw(statement).execute(db);
  await sql`CREATE TABLE audit_events (
    sequence ${countedPrimaryKey(db)}, id TEXT NOT NULL UNIQUE,
    company_id TEXT NOT NULL REFERENCES company (id), action TEXT NOT NULL, user_id TEXT, canonical TEXT NOT NULL)`.execute(
    db,
  );
  for (const statement of after) await sql.raw(statement).execute(db);
}

const before = [
  `CREATE TABLE company (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, public_url TEXT NOT NULL, created_at TEXT NOT NULL)`,

  `CREATE TABLE settings (
    company_id TEXT PRIMARY KEY REFERENCES company (id),
    version INTEGER NOT NULL, value TEXT NOT NULL, updated_at TEXT NOT NULL)`,

  `CREATE TABLE keyring_keys (
    kid TEXT PRIMARY KEY, company_id TEXT NOT NULL REFERENCES company (id),
    purpose TEXT NOT NULL, wrapped TEXT NOT NULL, created_at TEXT NOT NULL)`,

  `CREATE TABLE users (
    id TEXT PRIMARY KEY, company_id TEXT NOT NULL REFERENCES company (id),
    username TEXT NOT NULL, alternate_username TEXT, email TEXT NOT NULL,
    first_name TEXT NOT NULL, last_name TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('enabled', 'disabled')),
    manager_email TEXT, groups TEXT NOT NULL, created_at TEXT NOT NULL, updated_at TEXT NOT NULL)`,

  `CREATE TABLE login_names (
    company_id TEXT NOT NULL, folded TEXT NOT NULL,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    PRIMARY KEY (company_id, folded))`,
  `CREATE INDEX login_names_by_user ON login_names (user_id)`,

  `CREATE TABLE emergency_access (
    company_id TEXT NOT NULL, user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    user_enabled INTEGER NOT NULL CHECK (user_enabled IN (0, 1)),
    code_id TEXT, status TEXT CHECK (status IN ('active', 'consumed', 'revoked')),
    digest TEXT, salt TEXT, algorithm TEXT, iterations INTEGER, pepper_kid TEXT,
    one_time INTEGER NOT NULL DEFAULT 0 CHECK (one_time IN (0, 1)),
    issued_at TEXT, expires_at TEXT, last_used_at TEXT,
    tries INTEGER NOT NULL DEFAULT 0, failures INTEGER NOT NULL DEFAULT 0, locked_until TEXT,
    PRIMARY KEY (company_id, user_id))`,
  `CREATE INDEX emergency_access_with_tries ON emergency_access (company_id, tries) WHERE tries > 0`,

  `CREATE TABLE api_keys (
    id TEXT PRIMARY KEY, company_id TEXT NOT NULL REFERENCES company (id),
    role TEXT NOT NULL CHECK (role IN ('Super Administrator', 'Help Desk Administrator')),
    public_key TEXT NOT NULL, description TEXT NOT NULL, created_at TEXT NOT NULL)`,

  `CREATE TABLE authn_keys (
    id TEXT PRIMARY KEY, company_id TEXT NOT NULL REFERENCES company (id),
    name TEXT NOT NULL, digest TEXT NOT NULL UNIQUE, created_at TEXT NOT NULL)`,

  `CREATE TABLE authn_attempts (
    id TEXT PRIMARY KEY, company_id TEXT NOT NULL REFERENCES company (id),
    authn_key_id TEXT NOT NULL REFERENCES authn_keys (id) ON DELETE CASCADE,
    sealed TEXT NOT NULL, seal_kid TEXT NOT NULL, message_id TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'succeeded', 'failed')),
    tries INTEGER NOT NULL, timeout_seconds INTEGER NOT NULL,
    keep INTEGER NOT NULL CHECK (keep IN (0, 1)), expires_at TEXT NOT NULL)`,
  `CREATE INDEX authn_attempts_by_key ON authn_attempts (authn_key_id)`,
  `CREATE INDEX authn_attempts_by_end ON authn_attempts (expires_at)`,
];

const after = [
  `CREATE INDEX audit_events_by_action ON audit_events (action, sequence)`,
  `CREATE INDEX audit_events_by_user ON audit_events (user_id, sequence) WHERE user_id IS NOT NULL`,

  `CREATE TABLE audit_personal (
    event_id TEXT PRIMARY KEY REFERENCES audit_events (id), salt TEXT NOT NULL, personal TEXT NOT NULL)`,
];
