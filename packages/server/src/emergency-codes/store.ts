import { sql } from "kysely";
import type { Instant } from "../platform/clock.ts";
import { GuardedWrite, type Operation } from "../platform/database/guarded-write.ts";
import { lookup } from "../platform/database/lookup.ts";
import { runGuarded } from "../platform/database/run-guarded.ts";
import { type Connection, type Flag, recordColumns, type Tables } from "../schema/tables.ts";
import type { Access, StoredCode } from "./access-status.ts";
import type { CodeDigest } from "./digest.ts";
import { maxConsecutiveFailures } from "./policy.ts";

export type NewCode = Omit<StoredCode, "status">;

const accessTable = "emergency_access";

interface UserKey {
  companyId: string;
  userId: string;
}

const accessOfUser = lookup((db: Connection, { companyId, userId }: UserKey) =>
  db.selectFrom(accessTable).selectAll().where("company_id", "=", companyId).where("user_id", "=", userId),
);

const accessByLoginName = lookup((db: Connection, { companyId, folded }: { companyId: string; folded: string }) =>
  db
    .selectFrom("login_names")
    .innerJoin(accessTable, (join) =>
      join
        .onRef("emergency_access.company_id", "=", "login_names.company_id")
        .onRef("emergency_access.user_id", "=", "login_names.user_id"),
    )
    .selectAll(accessTable)
    .where("login_names.company_id", "=", companyId)
    .where("login_names.folded", "=", folded),
);

export async function findAccess(db: Connection, companyId: string, userId: string): Promise<Access | undefined> {
  const [row] = await accessOfUser(db, { companyId, userId });
  return row && toAccess(row);
}

export async function findAccessByLoginName(
  db: Connection,
  companyId: string,
  folded: string,
): Promise<Access | undefined> {
  const [row] = await accessByLoginName(db, { companyId, folded });
  return row && toAccess(row);
}

/** Gives the user a row, or tells the row whether the user is enabled. */
export async function mirrorUser(trx: Connection, companyId: string, userId: string, enabled: boolean): Promise<void> {
  const user_enabled: Flag = enabled ? 1 : 0;
  await trx
    .insertInto(accessTable)
    .values({ company_id: companyId, user_id: userId, user_enabled, one_time: 0, tries: 0, failures: 0 })
    .onConflict((conflict) => conflict.columns(["company_id", "user_id"]).doUpdateSet({ user_enabled }))
    .execute();
}

interface CodeInputs {
  companyId: string;
  userId: string;
  codeId: string;
  digest: string;
  salt: string;
  algorithm: string;
  iterations: number;
  pepperKid: string;
  oneTime: Flag;
  issuedAt: Instant;
  expiresAt: Instant;
}

const userKey = { company_id: "companyId", user_id: "userId" } as const;
const userInputs = { companyId: "text", userId: "text" } as const;

/**
 * Makes this the user's only code, if the user is enabled.
 *
 * Failures, lock and last use stay: a new code is no new supply of guesses.
 */
export const issuing = new GuardedWrite<Tables, typeof accessTable, CodeInputs, "issued">({
  table: accessTable,
  key: userKey,
  inputs: {
    ...userInputs,
    codeId: "text",
    digest: "text",
    salt: "text",
    algorithm: "text",
    iterations: "integer",
    pepperKid: "text",
    oneTime: "integer",
    issuedAt: "text",
    expiresAt: "text",
  },
  guard: (eb) => eb("user_enabled", "=", 1),
  set: (code) => ({
    status: "active",
    code_id: code.codeId,
    digest: code.digest,
    salt: code.salt,
    algorithm: code.algorithm,
    iterations: code.iterations,
    pepper_kid: code.pepperKid,
    one_time: code.oneTime,
    issued_at: code.issuedAt,
    expires_at: code.expiresAt,
  }),
  outcome: sql`'issued'`,
  inserts: recordColumns,
});

/** The same as a part of a larger unit of work. */
export function issueIn(trx: Connection, operation: Operation<CodeInputs, "issued">) {
  return runGuarded(trx, issuing, operation);
}

export function codeInputs(companyId: string, userId: string, { recipe, ...code }: NewCode): CodeInputs {
  return {
    ...{ companyId, userId, codeId: code.id, digest: code.digest },
    ...{ salt: recipe.salt, algorithm: recipe.algorithm, iterations: recipe.iterations, pepperKid: recipe.pepperKid },
    oneTime: code.oneTime ? 1 : 0,
    issuedAt: code.issuedAt,
    expiresAt: code.expiresAt,
  };
}

export interface Verdict {
  companyId: string;
  userId: string;
  codeId: string;
  /** Whether the typed code's digest was this code's. */
  matched: Flag;
  now: Instant;
  /** Wrong codes before the lock, and its end if this one is the last. */
  maxTries: number;
  lockUntil: Instant;
}

/** What became of a typed code. `locked` and `void` come with `wrong`. */
export type VerdictWord = "accepted" | "wrong" | "locked" | "void";

/**
 * Spends a use or a try of the code if it can still be spent, in one statement for right and wrong alike.
 *
 * The conditions are the statement's on purpose, and everything they ask about lies in this row.
 * Reading first and deciding in JavaScript lets two requests spend the same code.
 *
 * `none`: it could not be spent, and whatever the comparison said, the answer is that of a wrong code.
 */
export const verifying = new GuardedWrite<Tables, typeof accessTable, Verdict, VerdictWord>({
  table: accessTable,
  key: userKey,
  inputs: {
    ...userInputs,
    codeId: "text",
    matched: "integer",
    now: "text",
    maxTries: "integer",
    lockUntil: "text",
  },
  guard: (eb, { codeId, now }) =>
    eb.and([
      eb("code_id", "=", codeId),
      eb("status", "=", "active"),
      eb("user_enabled", "=", 1),
      eb("expires_at", ">", now),
      eb.or([eb("locked_until", "is", null), eb("locked_until", "<=", now)]),
    ]),
  set: ({ matched, now, maxTries, lockUntil }) => {
    // A lock that is still in the row has ended, or the guard would not hold: its tries are over.
    const triesBefore = sql<number>`CASE WHEN locked_until IS NULL THEN tries ELSE 0 END`;
    // Tries that are used up without a lock are those of a limit that was lowered: the guess comes too late.
    const accepted = sql<boolean>`${matched} = 1 AND ${triesBefore} < ${maxTries}`;
    return {
      tries: sql<number>`CASE WHEN ${accepted} THEN 0 ELSE ${triesBefore} + 1 END`,
      failures: sql<number>`CASE WHEN ${accepted} THEN 0 ELSE failures + 1 END`,
      locked_until: sql<Instant | null>`CASE WHEN NOT (${accepted}) AND ${triesBefore} + 1 >= ${maxTries} THEN ${lockUntil} END`,
      last_used_at: sql<Instant | null>`CASE WHEN ${accepted} THEN ${now} ELSE last_used_at END`,
      status: sql<StoredCode["status"]>`CASE WHEN ${accepted} AND one_time = 1 THEN 'consumed'
        WHEN NOT (${accepted}) AND failures + 1 >= ${maxConsecutiveFailures} THEN 'revoked' ELSE status END`,
    };
  },
  outcome: sql`CASE WHEN failures = 0 THEN 'accepted' ELSE 'wrong'
    || CASE WHEN locked_until IS NULL THEN '' ELSE ' locked' END
    || CASE WHEN status = 'revoked' THEN ' void' ELSE '' END END`,
  inserts: recordColumns,
});

/** The same as a part of a larger unit of work. */
export function verifyIn(trx: Connection, operation: Operation<Verdict, VerdictWord>) {
  return runGuarded(trx, verifying, operation);
}

/** Ends this very code of the user, if it is active. */
export const revoking = new GuardedWrite<Tables, typeof accessTable, UserKey & { codeId: string }, "revoked">({
  table: accessTable,
  key: userKey,
  inputs: { ...userInputs, codeId: "text" },
  guard: (eb, { codeId }) => eb.and([eb("code_id", "=", codeId), eb("status", "=", "active")]),
  set: () => ({ status: "revoked" }),
  outcome: sql`'revoked'`,
  inserts: recordColumns,
});

/** Clears failures and lock if there are any. */
export const unlocking = new GuardedWrite<Tables, typeof accessTable, UserKey, "unlocked">({
  table: accessTable,
  key: userKey,
  inputs: userInputs,
  guard: (eb) => eb.or([eb("failures", ">", 0), eb("locked_until", "is not", null)]),
  set: () => ({ tries: 0, failures: 0, locked_until: null }),
  outcome: sql`'unlocked'`,
  inserts: recordColumns,
});

type AccessRow = Tables["emergency_access"];

function toAccess(row: AccessRow): Access {
  return {
    userId: row.user_id,
    userEnabled: row.user_enabled === 1,
    code: row.code_id === null ? undefined : toCode(row, row.code_id),
    lastUsedAt: row.last_used_at,
    tries: row.tries,
    failures: row.failures,
    lockedUntil: row.locked_until,
  };
}

/** A row with a code id has every other column of the code: `replaceCode` writes them together. */
function toCode(row: AccessRow, id: string): StoredCode {
  return {
    id,
    status: row.status as StoredCode["status"],
    digest: row.digest as CodeDigest,
    recipe: {
      salt: row.salt as string,
      algorithm: row.algorithm as string,
      iterations: row.iterations as number,
      pepperKid: row.pepper_kid as string,
    },
    oneTime: row.one_time === 1,
    issuedAt: row.issued_at as Instant,
    expiresAt: row.expires_at as Instant,
  };
}

/** Codes by the key of their digest: the active ones that expire after an instant. */
export async function countLiveCodes(
  db: Connection,
  companyId: string,
  expiringAfter: Instant,
): Promise<Map<string, number>> {
  const rows = await db
    .selectFrom(accessTable)
    .select(({ fn }) => ["pepper_kid", fn.countAll<number | string>().as("count")])
    .where("company_id", "=", companyId)
    .where("status", "=", "active")
    .where("expires_at", ">", expiringAfter)
    .groupBy("pepper_kid")
    .execute();
  return new Map(rows.map(({ pepper_kid, count }) => [String(pepper_kid), Number(count)]));
}
