/** The record cannot be written: then nothing is issued, verified or changed. */
import assert from "node:assert/strict";
import { query } from "../../packages/server/src/testing/postgres/databases.ts";
import { startPostgres } from "../../packages/server/src/testing/postgres/server.ts";
import type { Answer, ApiCaller } from "../api-caller.ts";
import { type FaultContext, runFaults } from "./fault.ts";
import { startNodes, until } from "./nodes.ts";
import { byVerify, issue, makeUsers, type NamedUser, wrongCode } from "./ways.ts";

const ways: [string, (role: string) => string, (role: string) => string][] = [
  [
    "not granted",
    (role) => `REVOKE INSERT ON audit_events FROM ${role}`,
    (role) => `GRANT INSERT ON audit_events TO ${role}`,
  ],
  [
    "its other half is not granted",
    (role) => `REVOKE INSERT ON audit_personal FROM ${role}`,
    (role) => `GRANT INSERT ON audit_personal TO ${role}`,
  ],
  ["gone", () => "ALTER TABLE audit_events RENAME TO hidden", () => "ALTER TABLE hidden RENAME TO audit_events"],
  [
    "refuses rows",
    () => "ALTER TABLE audit_events ADD CONSTRAINT fault CHECK (false) NOT VALID",
    () => "ALTER TABLE audit_events DROP CONSTRAINT fault",
  ],
];

async function run(context: FaultContext): Promise<string> {
  const server = await startPostgres();
  context.after(() => server.stop());
  const database = await server.createDatabase();
  const { nodes, ready } = await startNodes(context, database);
  const role = new URL(database.appUrl).username;
  const users = await makeUsers(nodes[0].caller, "recorded", 3);
  const rounds = context.share(100);
  let calls = 0;
  for (let round = 0; round < rounds; round++) {
    for (const [name, breakIt, mendIt] of ways) {
      const codes = await Promise.all(users.map(({ id }) => issue(nodes[0].caller, id, true)));
      const before = await stateOf(database.superuserUrl);
      await query(database.ownerUrl, breakIt(role));
      const answers = await Promise.all(
        users.flatMap((user, n) => everyCall((nodes[n] ?? nodes[0]).caller, user, codes[n] ?? "")),
      );
      for (const { status, text, headers } of answers) {
        assert.equal(status, 503, `${name}: ${status} ${text}`);
        assert.ok(Number(headers.get("retry-after")) >= 1, "503 without Retry-After");
      }
      calls += answers.length;
      await query(database.ownerUrl, mendIt(role));
      assert.deepEqual(await stateOf(database.superuserUrl), before, `${name}: something changed`);
      await ready();
      // The control: what was refused is done when the record can be written.
      for (const [n, { username }] of users.entries()) {
        const accepted = until("the code works", () =>
          byVerify(nodes[n]?.caller as ApiCaller, username, codes[n] ?? ""),
        );
        await accepted;
      }
    }
  }
  return `${rounds} of each of ${ways.length}: ${calls} calls, 0 successes; control: the same codes work afterwards`;
}

function everyCall({ admin, client }: ApiCaller, { id, username }: NamedUser, code: string): Promise<Answer>[] {
  const credentials = [
    { methodId: "EMERGENCY_TOKENCODE", collectedInputs: [{ name: "EMERGENCY_TOKENCODE", value: code }] },
  ];
  const initialize = { subjectName: username, context: { messageId: "m" }, subjectCredentials: credentials };
  const vendor = `/AdminInterface/restapi/v1/users/${id}`;
  return [
    client("POST", "/api/v1/verify", { user: username, code }),
    client("POST", "/api/v1/verify", { user: username, code: wrongCode }),
    client("POST", "/api/v1/verify", { user: "nobody", code }),
    client("POST", "/mfa/v1_1/authn/initialize", initialize),
    admin("POST", `/api/v1/users/${id}/emergency-code`, {}),
    admin("POST", `/api/v1/users/${id}/emergency-code`, {}, { "idempotency-key": `${id}-${code}` }),
    admin("PUT", `${vendor}/emergencyTokencode`, { expirationDays: 1 }),
    admin("DELETE", `/api/v1/users/${id}/emergency-code`),
    admin("PUT", `${vendor}/userStatus`, { userStatus: "Disabled" }),
    client("POST", "/api/v1/verify", { user: username, code }, { "client-key": "not-a-key" }),
  ];
}

/** Everything that a call could have changed. */
async function stateOf(url: string) {
  const sql = `SELECT (SELECT json_agg(e ORDER BY user_id) FROM emergency_access e)::text AS access,
    (SELECT json_agg(u ORDER BY id) FROM users u)::text AS users,
    (SELECT count(*) FROM idempotent_calls)::text AS calls,
    (SELECT count(*) FROM audit_events)::text AS events`;
  return (await query<Record<string, string>>(url, sql))[0];
}

await runFaults({
  name: "record",
  fault: "the record cannot be written: its table refuses the role, is gone, or refuses rows",
  holds: "0 successes, 503; nothing has changed; works again afterwards",
  bar: "100 of each",
  run,
});
