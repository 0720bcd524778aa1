/** Calls of a kind that are timed and judged: answered with what was asked for, or told when to come back. */
import assert from "node:assert/strict";
import { type Answer, type ApiCaller, changeSettings } from "../api-caller.ts";

/** What a busy machine may add to any bound. */
export const slackMs = 4_000;

export interface Timed {
  name: string;
  ms: number;
  answer: Answer;
}

export interface Prepared {
  userId: string;
  username: string;
  code: string;
}

/** A user with a code that works over and over, and settings under which a load is not refused for its size. */
export async function prepare(caller: ApiCaller, answerTimeMs = 0): Promise<Prepared> {
  const most = 1_000_000;
  const rateLimits = { administrationPerMinute: most, authenticationPerMinute: most, refusedPerMinute: most };
  await changeSettings(caller, { answerTimeMs, rateLimits });
  const username = "over.load";
  const input = { username, email: "over.load@example.com", firstName: "Over", lastName: "Load" };
  const { body: user } = await caller.admin("POST", "/api/v1/users", input);
  const { body } = await caller.admin("POST", `/api/v1/users/${user.id}/emergency-code`, { oneTime: false });
  return { userId: user.id, username, code: body.code };
}

/** How many kinds of calls there are. */
export const kinds = 6;

/** One call of each kind that a node answers. */
export function everyKind(caller: ApiCaller, { userId, username, code }: Prepared): Promise<Timed>[] {
  const wrong = { user: username, code: "12345678" };
  return [
    timed("verify", () => caller.client("POST", "/api/v1/verify", { user: username, code })),
    timed("verify nobody", () => caller.client("POST", "/api/v1/verify", { ...wrong, user: "nobody" })),
    timed("unlock", () =>
      caller.admin("PATCH", `/AdminInterface/restapi/v1/users/${userId}/methods`, {
        unlockMethods: ["EMERGENCY_TOKENCODE"],
      }),
    ),
    timed("lookup", () => caller.admin("POST", "/AdminInterface/restapi/v1/users/lookup", { username })),
    timed("access", () => caller.admin("GET", `/api/v1/users/${userId}/emergency-access`)),
    timed("settings", () => caller.admin("GET", "/api/v1/settings")),
  ];
}

export async function timed(name: string, call: () => Promise<Answer>): Promise<Timed> {
  const startedMs = performance.now();
  const answer = await call();
  return { name, ms: performance.now() - startedMs, answer };
}

/** 200 or 503 with its `Retry-After`, within two seconds. */
export function assertBounded({ name, ms, answer }: Timed) {
  assert.ok([200, 503].includes(answer.status), `${name}: ${answer.status} ${answer.text}`);
  if (answer.status === 503) assert.ok(Number(answer.headers.get("retry-after")) >= 1, `${name}: no Retry-After`);
  assert.ok(ms < 2_000 + slackMs, `${name} took ${ms} ms`);
}
