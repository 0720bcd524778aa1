import { sql } from "kysely";
import type { Instant } from "../platform/clock.ts";
import { prepared } from "../platform/database/prepared.ts";
import type { Connection, Flag, Tables } from "../schema/tables.ts";
import type { Access, StoredCode } from "./access-status.ts";
import type { CodeDigest } from "./digest.ts";
import { maxConsecutiveFailures } from "./policy.ts";

export type NewCode = Omit<StoredCode, "status">;

const accessTable = "emergency_access";

interface UserKey {
  companyId: string;
  userId: string;
}

const accessOfUser = prepared((db: Connection, { companyId, userId }: UserKey) =>
  db.selectFrom(accessTable).selectAll().where("company_id", "=", companyId).where("user_id", "=", userId),
);

const accessByLoginName = prepared((db: Connection, { companyId, folded }: { companyId: string; folded: string }) =>
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

type CodeColumns = Pick<
  Tables["emergency_access"],
  "code_id" | "digest" | "salt" | "algorithm" | "iterations" | "pepper_kid" | "one_time" | "issued_at" | "expires_at"
>;

const codeOfEnabledUser = prepared((db: Connection, args: UserKey & CodeColumns) =>
  db
    .updateTable(accessTable)
    .set({
      status: "active",
      code_id: args.code_id,
      digest: args.digest,
      salt: args.salt,
      algorithm: args.algorithm,
      iterations: args.iterations,
      pepper_kid: args.pepper_kid,
      one_time: args.one_time,
      issued_at: args.issued_at,
      expires_at: args.expires_at,
    })
    .where("company_id", "=", args.companyId)
    .where("user_id", "=", args.userId)
    .where("user_enabled", "=", 1)
    .returning("user_id"),
);

/**
 * Makes this the user's only code, if the user is enabled; answers whether it did.
 *
 * Failures, lock and last use stay: a new code is no new supply of guesses.
 */
export async function replaceCode(trx: Connection, companyId: string, userId: string, code: NewCode): Promise<boolean> {
  const rows = await codeOfEnabledUser(trx, {
    companyId,
    userId,
    code_id: code.id,
    digest: code.digest,
    salt: code.recipe.salt,
    algorithm: code.recipe.algorithm,
    iterations: code.recipe.iterations,
    pepper_kid: code.recipe.pepperKid,
    one_time: code.oneTime ? 1 : 0,
    issued_at: code.issuedAt,
    expires_at: code.expiresAt,
  });
  return rows.length === 1;
}

export interface Verdict {
  userId: string;
  codeId: string;
  /** Whether the typed code's digest was this code's. */
  matched: boolean;
  now: Instant;
  /** Wrong codes before the lock, and its end if this one is the last. */
  tries: number;
  lockUntil: Instant;
}

export interface Decided {
  status: StoredCode["status"];
  failures: number;
  lockedUntil: Instant | null;
}

type VerdictArguments = Omit<Verdict, "matched"> & { companyId: string; matched: Flag };

/**
 * Spends a use or a try of the code if it can still be spent, in one statement for right and wrong alike.
 *
 * The conditions live in the WHERE clause on purpose, and everything they ask about lies in this row, but for the
 * end of the key, which no transaction can bring closer than two seconds. Reading first and deciding in JavaScript lets two requests spend the same code.
 */
const guardedDecision = prepared((db: Connection, verdict: VerdictArguments) => {
  const { matched } = verdict;
  // A lock that is still in the row has ended, or the WHERE would not hold: its tries are over.
  const triesNow = sql<number>`CASE WHEN locked_until IS NULL THEN tries + 1 ELSE 1 END`;
  return (
    db
      .updateTable(accessTable)
      .set({
        tries: sql<number>`CASE WHEN ${matched} = 1 THEN 0 ELSE ${triesNow} END`,
        failures: sql<number>`CASE WHEN ${matched} = 1 THEN 0 ELSE failures + 1 END`,
        locked_until: sql<Instant | null>`CASE WHEN ${matched} = 0 AND ${triesNow} >= ${verdict.tries} THEN ${verdict.lockUntil} END`,
        last_used_at: sql<Instant | null>`CASE WHEN ${matched} = 1 THEN ${verdict.now} ELSE last_used_at END`,
        status: sql<StoredCode["status"]>`CASE WHEN ${matched} = 1 AND one_time = 1 THEN 'consumed'
        WHEN ${matched} = 0 AND failures + 1 >= ${maxConsecutiveFailures} THEN 'revoked' ELSE status END`,
      })
      .where("company_id", "=", verdict.companyId)
      .where("user_id", "=", verdict.userId)
      .where("code_id", "=", verdict.codeId)
      .where("status", "=", "active")
      .where("user_enabled", "=", 1)
      .where("expires_at", ">", verdict.now)
      .where((eb) => eb.or([eb("locked_until", "is", null), eb("locked_until", "<=", verdict.now)]))
      // Another table, and still exact: a key's end was written down long before it comes.
      .where(({ not, exists, selectFrom }) =>
        not(
          exists(
            selectFrom("keyring_keys")
              .select("kid")
              .whereRef("kid", "=", "emergency_access.pepper_kid")
              .where("retired_at", "<=", verdict.now),
          ),
        ),
      )
      .returning(["status", "failures", "locked_until"])
  );
});

/**
 * Says what became of the code. Undefined: it could not be spent, and whatever the comparison said, the answer
 * is that of a wrong code.
 */
export async function decide(trx: Connection, companyId: string, verdict: Verdict): Promise<Decided | undefined> {
  const [row] = await guardedDecision(trx, { ...verdict, companyId, matched: verdict.matched ? 1 : 0 });
  if (row === undefined) return undefined;
  return { status: row.status ?? "active", failures: row.failures, lockedUntil: row.locked_until };
}

/** Ends the user's code if one is active; answers its id. */
export async function revokeCode(trx: Connection, companyId: string, userId: string): Promise<string | undefined> {
  const row = await trx
    .updateTable(accessTable)
    .set({ status: "revoked" })
    .where("company_id", "=", companyId)
    .where("user_id", "=", userId)
    .where("status", "=", "active")
    .returning("code_id")
    .executeTakeFirst();
  return row?.code_id ?? undefined;
}

/** Clears failures and lock if there are any; answers whether there were. */
export async function clearFailures(trx: Connection, companyId: string, userId: string): Promise<boolean> {
  const row = await trx
    .updateTable(accessTable)
    .set({ tries: 0, failures: 0, locked_until: null })
    .where("company_id", "=", companyId)
    .where("user_id", "=", userId)
    .where((eb) => eb.or([eb("failures", ">", 0), eb("locked_until", "is not", null)]))
    .returning("user_id")
    .executeTakeFirst();
  return row !== undefined;
}

/** Locks everyone who has already used up a limit that was just lowered; answers who. */
export async function lockTriesUsedUp(
  trx: Connection,
  companyId: string,
  tries: number,
  lockUntil: Instant,
): Promise<string[]> {
  const rows = await trx
    .updateTable(accessTable)
    .set({ locked_until: lockUntil })
    .where("company_id", "=", companyId)
    .where("tries", ">=", tries)
    .where("tries", ">", 0)
    .where("locked_until", "is", null)
    .returning("user_id")
    .execute();
  return rows.map((row) => row.user_id);
}

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
