/** Every way to use a code over HTTP. A call that is told to come back is sent again. */
import { setTimeout as delay } from "node:timers/promises";
import type { Answer, ApiCaller } from "../api-caller.ts";

export type Way = (caller: ApiCaller, user: string, code: string) => Promise<boolean>;

const methodId = "EMERGENCY_TOKENCODE";
const credentials = (value: string) => [{ methodId, collectedInputs: [{ name: methodId, value }] }];
/** The right form and a right check symbol, so that it counts as a guess and not as a slip. */
export const wrongCode = "0000-0000-000";

export const byVerify: Way = async ({ client }, user, code) => {
  const { body } = await insist(() => client("POST", "/api/v1/verify", { user, code }));
  return body.accepted;
};

export const byInitialize: Way = async ({ client }, subjectName, code) => {
  const request = { subjectName, context: { messageId: "m" }, subjectCredentials: credentials(code) };
  const { body } = await insist(() => client("POST", "/mfa/v1_1/authn/initialize", request));
  return body.attemptResponseCode === "SUCCESS";
};

/** An attempt that has begun, and what verifies in it. */
export async function beginAttempt({ client }: ApiCaller, subjectName: string): Promise<Way> {
  const { body } = await insist(() =>
    client("POST", "/mfa/v1_1/authn/initialize", { subjectName, context: { messageId: "m" } }),
  );
  const { authnAttemptId, messageId: inResponseTo } = body.context;
  return async (caller, _user, code) => {
    const context = { authnAttemptId, messageId: "m", inResponseTo };
    const request = { context, subjectCredentials: credentials(code) };
    const answer = await insist(() => caller.client("POST", "/mfa/v1_1/authn/verify", request));
    return answer.body.attemptResponseCode === "SUCCESS";
  };
}

export const byAttempt: Way = async (caller, user, code) => (await beginAttempt(caller, user))(caller, user, code);

export async function issue({ admin }: ApiCaller, userId: string, oneTime = false): Promise<string> {
  const { body } = await insist(() => admin("POST", `/api/v1/users/${userId}/emergency-code`, { oneTime }));
  return body.code;
}

export interface NamedUser {
  id: string;
  username: string;
}

export async function makeUsers({ admin }: ApiCaller, prefix: string, count: number): Promise<NamedUser[]> {
  const profiles = Array.from({ length: count }, (_, n) => {
    const username = `${prefix}.${n}`;
    return { username, email: `${username}@example.com`, firstName: prefix, lastName: String(n) };
  });
  const { body } = await insist(() => admin("POST", "/api/v1/users", profiles));
  return body.results.map(({ user }: { user: NamedUser }) => user);
}

/** For as long as the answer is 503, as a client does that was told to come back. Anything but success then throws. */
export async function insist(call: () => Promise<Answer>, withinMs = 60_000): Promise<Answer> {
  const endMs = performance.now() + withinMs;
  while (true) {
    const answer = await call();
    if (answer.status < 300) return answer;
    if (answer.status !== 503 || performance.now() > endMs) throw new Error(`${answer.status} ${answer.text}`);
    await delay(50);
  }
}
