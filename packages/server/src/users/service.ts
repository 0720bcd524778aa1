/** The people who can be locked out: who they are, whether they may sign in, who may manage them. */
import { maxUserBatch, type UserBatchAnswer, type UserInput, type UserResult } from "@sparekey/contract";
import type { AuditService } from "../audit/service.ts";
import type { Clock } from "../platform/clock.ts";
import type { Database } from "../platform/database/database.ts";
import { Lane } from "../platform/lane.ts";
import type { Random } from "../platform/random.ts";
import { Refusal } from "../platform/refusal.ts";
import type { Administrator, Call } from "../principal.ts";
import type { Connection, Tables } from "../schema/tables.ts";
import type { SettingsService } from "../settings/service.ts";
import { foldLoginName } from "./login-name.ts";
import * as store from "./store.ts";
import { applyInput, changedProperties, loginNamesOf, type User } from "./user.ts";

export { foldLoginName } from "./login-name.ts";
export type { User } from "./user.ts";

type UpsertOutcome = "created" | "updated" | "unchanged";

/** A row of a batch: an input, or what is wrong with it. */
export type BatchRow = { input: UserInput } | { username: string; problem: string };

/** Runs in the unit of work that creates a user or changes one, for features that keep a row a user. */
export type UserChanged = (trx: Connection, user: User) => Promise<void>;

interface Dependencies {
  db: Database<Tables>;
  companyId: string;
  clock: Clock;
  random: Random;
  audit: AuditService;
  settings: SettingsService;
  onChange: UserChanged;
}

/** A batch is a thousand units of work: one at a time leaves room for everybody else. */
const batchBounds = { atOnce: 1, waiting: 2 };

export class UsersService {
  readonly #with: Dependencies;
  readonly #batches = new Lane(batchBounds);

  constructor(dependencies: Dependencies) {
    this.#with = dependencies;
  }

  findByLoginName(name: string): Promise<User | undefined> {
    return store.findUserByLoginName(this.#with.db.read, this.#with.companyId, foldLoginName(name));
  }

  /** Refuses with `user_not_found`, or with `protected_user` when only a Super Administrator may manage this user. */
  async getManageable(call: Call<Administrator>, id: string): Promise<User> {
    const { db, companyId, settings, audit } = this.#with;
    const user = await store.findUser(db.read, companyId, id);
    if (user === undefined) throw userNotFound(id);
    const { role } = call.principal;
    if (role === "Super Administrator") return user;
    const { protectedGroups } = (await settings.current()).settings;
    if (!user.groups.some((group) => protectedGroups.includes(group))) return user;
    const reason = "protected_user";
    await audit.recordAlone(call, {
      action: "principal.refused",
      outcome: "refused",
      reason,
      userId: id,
      details: { role },
    });
    throw new Refusal(reason);
  }

  async setStatus(call: Call<Administrator>, id: string, status: User["status"]): Promise<void> {
    const { db, companyId, clock, audit, onChange } = this.#with;
    const user = await this.getManageable(call, id);
    await db.write(async (trx) => {
      if (!(await store.updateStatus(trx, companyId, id, status, clock.now()))) return;
      await onChange(trx, { ...user, status });
      await audit.record(trx, call, { action: `user.${status}`, userId: id, personal: { username: user.username } });
    });
  }

  /** Creates or updates the user with this username. Refuses with `login_name_taken`. */
  upsert(call: Call, input: UserInput): Promise<{ user: User; outcome: UpsertOutcome }> {
    return this.#with.db.write((trx) => this.#upsertIn(trx, call, input));
  }

  /** The same for many: a result a row, and a refused row stops no other. */
  async upsertAll(call: Call, rows: BatchRow[]): Promise<UserBatchAnswer> {
    if (rows.length > maxUserBatch) {
      throw new Refusal("malformed_request", { answer: `At most ${maxUserBatch} users a call.` });
    }
    const results = await this.#batches.run(() => this.#upsertRows(call, rows));
    const count = (outcome: UserResult["outcome"]) => results.filter((result) => result.outcome === outcome).length;
    return {
      created: count("created"),
      updated: count("updated"),
      unchanged: count("unchanged"),
      refused: count("refused"),
      results,
    };
  }

  async #upsertIn(trx: Connection, call: Call, input: UserInput) {
    const { companyId, clock, random, onChange } = this.#with;
    const folded = foldLoginName(input.username);
    const before = await store.findUserByLoginName(trx, companyId, folded);
    if (before !== undefined && foldLoginName(before.username) !== folded) throw loginNameTaken(input.username);
    const user = applyInput(before, input, random.uuid(), clock.now());
    const changed = before === undefined ? [] : changedProperties(before, user);
    if (before !== undefined && changed.length === 0) return { user: before, outcome: "unchanged" as const };

    if (before === undefined) await store.insertUser(trx, companyId, user);
    else await store.updateUser(trx, companyId, user);
    const taken = await store.replaceLoginNames(trx, companyId, user.id, loginNamesOf(user));
    if (taken !== undefined) throw loginNameTaken(taken);
    await onChange(trx, user);
    await this.#recordUpsert(trx, call, { before, user, changed });
    return { user, outcome: before === undefined ? ("created" as const) : ("updated" as const) };
  }

  async #recordUpsert(
    trx: Connection,
    call: Call,
    { before, user, changed }: { before: User | undefined; user: User; changed: string[] },
  ) {
    const { audit } = this.#with;
    const about = { userId: user.id, personal: { username: user.username, email: user.email } };
    if (before === undefined) {
      await audit.record(trx, call, { action: "user.created", ...about, details: { status: user.status } });
      return;
    }
    if (changed.includes("status")) await audit.record(trx, call, { action: `user.${user.status}`, ...about });
    if (changed.some((name) => name !== "status")) {
      await audit.record(trx, call, { action: "user.updated", ...about, details: { changed } });
    }
  }

  async #upsertRows(call: Call, rows: BatchRow[]): Promise<UserResult[]> {
    const results: UserResult[] = [];
    const left = rows.entries();
    const work = async () => {
      for (const [index, row] of left) results[index] = await this.#upsertRow(call, row, index + 1);
    };
    await Promise.all(Array.from({ length: this.#with.db.unitsAtOnce }, work));
    return results;
  }

  async #upsertRow(call: Call, row: BatchRow, place: number): Promise<UserResult> {
    if ("problem" in row) {
      return { row: place, username: row.username, outcome: "refused", code: "malformed_request", detail: row.problem };
    }
    const { username } = row.input;
    try {
      return { row: place, username, ...(await this.upsert(call, row.input)) };
    } catch (error) {
      // A refused row is a result of the batch; anything else fails the call, and may be sent again as it is.
      if (!(error instanceof Refusal)) throw error;
      return { row: place, username, outcome: "refused", code: error.code, detail: error.note.answer ?? error.code };
    }
  }
}

/** `lookedUp` is what the client sent, and only the client is told. */
export function userNotFound(lookedUp: string): Refusal {
  return new Refusal("user_not_found", { answer: `User ${lookedUp.slice(0, 100)} not found` });
}

function loginNameTaken(name: string): Refusal {
  return new Refusal("login_name_taken", { answer: `The login name ${name} already belongs to another user.` });
}
