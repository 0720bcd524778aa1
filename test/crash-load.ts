/** Users under load, and what a test may hold the server to after it was killed: every answer that arrived. */
import assert from "node:assert/strict";
import type { ApiCaller } from "./api-caller.ts";

type Status = "none" | "active" | "consumed" | "revoked";

/** What the last acknowledged answers say of a user. */
interface Acknowledged {
  status: Status;
  codeId: string | null;
  /** Undefined when no code was issued, or its answer did not arrive. */
  code: string | undefined;
}

type Step = "issue" | "verify" | "revoke" | "update";

export interface LoadedUser {
  id: string;
  username: string;
  acknowledged: Acknowledged;
  /** The step whose answer has not arrived: it may have happened or not. */
  pending: Step | undefined;
}

/** Request ids of acknowledged changes, each of which must be in the record. */
export interface Tally {
  requestIds: string[];
}

export async function createLoadedUser(api: ApiCaller, username: string): Promise<LoadedUser> {
  const { status, body } = await api.admin("POST", "/api/v1/users", profile(username, 0));
  assert.ok(status === 200 || status === 201);
  return { id: body.id, username, acknowledged: { status: "none", codeId: null, code: undefined }, pending: undefined };
}

/** Issues, verifies, issues, revokes, and updates the user, over and over, until the server is gone. */
export async function loadUntilGone(api: ApiCaller, user: LoadedUser, tally: Tally): Promise<void> {
  const path = `/api/v1/users/${user.id}/emergency-code`;
  const act = async (step: Step, method: string, url: string, body?: unknown) => {
    user.pending = step;
    const caller = step === "verify" ? api.client : api.admin;
    const answer = await caller(method, url, body);
    assert.ok(answer.status < 300, `${step} was answered with ${answer.status} ${answer.text}`);
    tally.requestIds.push(answer.headers.get("x-request-id") ?? "none");
    user.pending = undefined;
    return answer.body;
  };
  const issue = async () => {
    const { id, code } = await act("issue", "POST", path, { oneTime: true });
    user.acknowledged = { status: "active", codeId: id, code };
  };
  try {
    for (let turn = 1; ; turn += 1) {
      await issue();
      const { code } = user.acknowledged;
      const { accepted } = await act("verify", "POST", "/api/v1/verify", { user: user.username, code });
      assert.equal(accepted, true);
      user.acknowledged.status = "consumed";
      await issue();
      await act("revoke", "DELETE", path);
      user.acknowledged.status = "revoked";
      await act("update", "POST", "/api/v1/users", profile(user.username, turn));
    }
  } catch (error) {
    // Only a lost connection ends the load; a wrong answer is a failure of the test.
    if (error instanceof assert.AssertionError) throw error;
  }
}

/** Holds the server to what it acknowledged, and makes what it finds the new state. */
export async function checkAfterRestart(api: ApiCaller, user: LoadedUser): Promise<void> {
  const { body: found } = await api.admin("GET", `/api/v1/users/${user.id}/emergency-access`);
  const { acknowledged, pending } = user;
  const context = `${user.username}: acknowledged ${acknowledged.status}, pending ${pending}, found ${found.status}`;
  user.pending = undefined;
  if (pending === "issue" && found.codeId !== acknowledged.codeId) {
    assert.equal(found.status, "active", context);
    // Its code was in the answer that never arrived.
    user.acknowledged = { status: "active", codeId: found.codeId, code: undefined };
    return;
  }
  assert.equal(found.codeId, acknowledged.codeId, context);
  const possible: Status[] = [acknowledged.status];
  if (pending === "verify") possible.push("consumed");
  if (pending === "revoke") possible.push("revoked");
  assert.ok(possible.includes(found.status), context);
  user.acknowledged.status = found.status;
  if (acknowledged.code === undefined) return;
  // Not only what the server says of the code, but what it does with it.
  const { body } = await api.client("POST", "/api/v1/verify", { user: user.username, code: acknowledged.code });
  assert.equal(body.accepted, found.status === "active", context);
  if (body.accepted) user.acknowledged.status = "consumed";
}

function profile(username: string, turn: number) {
  return { username, email: `${username}@example.com`, firstName: "Crash", lastName: `Turn ${turn}` };
}
