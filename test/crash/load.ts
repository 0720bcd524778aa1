/** A bounded load on a server that may die at any moment: each user has one call under way at most. */
import assert from "node:assert/strict";
import type { Answer, ApiCaller } from "../api-caller.ts";
import { type Account, actionOf, type Change, type Ledger, type Standing, standingAfter } from "./ledger.ts";

/** A number from 0 up to, not including, 1; the same again for the same seed. */
export type Chance = () => number;

/** Mulberry32. */
export function chanceFrom(seed: number): Chance {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export interface Load {
  /** Resolves at the first answer. */
  begun: Promise<void>;
  /** Resolves once every worker has a call that got no answer, to how many were answered. */
  ended: Promise<number>;
}

/** Makes changes with so many workers, until the server dies. */
export function startLoad(caller: ApiCaller, ledger: Ledger, workers: number, chance: Chance): Load {
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  const share = Math.ceil(ledger.accounts.length / workers);
  const counts = Array.from({ length: workers }, async (_, worker) => {
    const mine = ledger.accounts.slice(worker * share, (worker + 1) * share);
    for (let answered = 0; ; answered += 1) {
      const account = mine[Math.floor(chance() * mine.length)] as Account;
      try {
        await change(caller, ledger, account, nextChange(account.standing, chance));
        begin();
      } catch (error) {
        // What `fetch` throws when the connection breaks; anything else is a finding.
        if (error instanceof TypeError) return answered;
        throw error;
      }
    }
  });
  const ended = Promise.all(counts).then((all) => all.reduce((sum, count) => sum + count, 0));
  return { begun, ended };
}

export function nextChange({ status, code, failures }: Standing, chance: Chance): Change {
  if (failures > 20) return { kind: "unlock" };
  const roll = chance();
  if (status !== "active" || code === undefined || roll < 0.25) return { kind: "issue", oneTime: chance() < 0.5 };
  if (roll < 0.6) return { kind: "verify", right: true };
  if (roll < 0.7) return { kind: "verify", right: false };
  if (roll < 0.85) return { kind: "revoke" };
  return { kind: "rename", firstName: `Name${Math.floor(chance() * 1e6)}` };
}

/** Makes one change and writes down what its answer acknowledges. */
export async function change(caller: ApiCaller, ledger: Ledger, account: Account, made: Change) {
  const { standing, userId } = account;
  account.touched = true;
  account.pending = made;
  const answer = await send(caller, account, made);
  account.pending = undefined;
  assert.ok(answer.status >= 200 && answer.status < 300, `${made.kind} was answered ${answer.status} ${answer.text}`);
  if (made.kind === "verify") {
    assert.equal(answer.body.accepted, made.right && standing.status === "active", `${account.username}: ${made.kind}`);
  }
  account.standing = standingAfter(standing, made, made.kind === "issue" ? answer.body : undefined);
  const action = actionOf(made, standing);
  const requestId = answer.headers.get("x-request-id") ?? "";
  if (action !== undefined) ledger.fresh.push({ requestId, userId, action });
}

function send({ admin, client }: ApiCaller, account: Account, made: Change): Promise<Answer> {
  const { userId, username, standing } = account;
  switch (made.kind) {
    case "issue":
      return admin("POST", `/api/v1/users/${userId}/emergency-code`, { oneTime: made.oneTime });
    case "verify":
      return client("POST", "/api/v1/verify", { user: username, code: made.right ? standing.code : wrongCode });
    case "revoke":
      return admin("DELETE", `/api/v1/users/${userId}/emergency-code`);
    case "unlock":
      return admin("PATCH", `/AdminInterface/restapi/v1/users/${userId}/methods`, {
        unlockMethods: ["EMERGENCY_TOKENCODE"],
      });
    case "rename":
      return admin("POST", "/api/v1/users", profileOf(username, made.firstName));
  }
}

export function profileOf(username: string, firstName: string) {
  return { username, email: `${username}@example.com`, firstName, lastName: "Crash" };
}

/** The right form and a right check symbol, so that it counts as a guess and not as a slip. */
const wrongCode = "0000-0000-000";
