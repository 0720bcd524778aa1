import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, it } from "node:test";
import type { User } from "@sparekey/contract";
import { sql } from "kysely";
import { databaseIn, onPostgres } from "../testing/data-directory.ts";
import { type Answer, startInstallation, type TestInstallation } from "../testing/installation.ts";
import { refuseRows } from "../testing/refused-rows.ts";
import { changesNothing } from "../testing/state.ts";

/** Ways in which the record can be impossible to write, and how each is mended. */
const faults: string[][] = [
  [
    "the table of the record is gone",
    "ALTER TABLE audit_events RENAME TO hidden",
    "ALTER TABLE hidden RENAME TO audit_events",
  ],
  ["the table of the record refuses rows", ...refuseRows("audit_events")],
  ["the personal half of a record is refused", ...refuseRows("audit_personal", "FAIL")],
];

describe("503 rather than a change without its record", () => {
  let sparekey: TestInstallation;
  let jane: User;
  let code: string;
  beforeEach(async () => {
    sparekey = await startInstallation();
    jane = await sparekey.createUser("jane.doe");
    code = await sparekey.issue(jane.id, { oneTime: true });
  });
  afterEach(() => sparekey.close());

  const run = (statement: string) => sparekey.db.migrate((connection) => sql.raw(statement).execute(connection));
  const collectedInputs = () => [{ name: "EMERGENCY_TOKENCODE", value: code }];
  const begin = { subjectName: "jane.doe", context: { messageId: "request" } };

  /** Every call that changes something or decides something. */
  function everyCall(): Promise<Answer>[] {
    const vendor = `/AdminInterface/restapi/v1/users/${jane.id}`;
    const subjectCredentials = [{ methodId: "EMERGENCY_TOKENCODE", collectedInputs: collectedInputs() }];
    return [
      sparekey.admin("POST", `/api/v1/users/${jane.id}/emergency-code`, {}),
      sparekey.admin("PUT", `${vendor}/emergencyTokencode`, { expirationDays: 1 }),
      sparekey.client("POST", "/api/v1/verify", { user: "jane.doe", code }),
      sparekey.client("POST", "/api/v1/verify", { user: "jane.doe", code: "00000000000" }),
      sparekey.client("POST", "/api/v1/verify", { user: "nobody", code }),
      sparekey.client("POST", "/mfa/v1_1/authn/initialize", { ...begin, subjectCredentials }),
      sparekey.admin("DELETE", `${vendor}/emergencyTokencodes`),
      sparekey.admin("PUT", `${vendor}/userStatus`, { userStatus: "Disabled" }),
      sparekey.admin("POST", "/api/v1/users", { username: "new", email: "new@x", firstName: "N", lastName: "U" }),
      sparekey.call("POST", "/api/v1/verify", { body: { user: "jane.doe", code } }),
    ];
  }

  function assertUnavailable({ status, headers, body }: Answer) {
    assert.equal(status, 503);
    assert.ok(Number(headers.get("retry-after")) >= 1);
    assert.ok(body.code === "unavailable" || body.code === "503 SERVICE_UNAVAILABLE", JSON.stringify(body));
  }

  for (const [name = "", breakIt = "", mendIt = ""] of faults) {
    it(`while ${name}: nothing is issued, verified or changed, and all works again afterwards`, async () => {
      await changesNothing(sparekey, async () => {
        await run(breakIt);
        for (const answer of await Promise.all(everyCall())) assertUnavailable(answer);
        await run(mendIt);
      });
      assert.equal(await sparekey.verify("jane.doe", code), true);
      assert.equal(await sparekey.verify("jane.doe", code), false);
    });
  }

  // These two break SQLite's own file. What PostgreSQL does when it is full, gone or held up is in test/overload/.
  const skip = onPostgres && "of the embedded database alone";

  it("while the disk is full: whatever is answered with success is there, and what is not is not", {
    skip,
  }, async () => {
    const { rows } = await sparekey.db.migrate((connection) =>
      sql<{ page_count: number }>`PRAGMA page_count`.execute(connection),
    );
    await run(`PRAGMA max_page_count = ${rows[0]?.page_count}`);
    const answers = new Map<string, number>();
    for (let i = 0; ; i++) {
      const names = Array.from({ length: 20 }, (_, j) => `filler.${i}.${j}`);
      const input = (username: string) => ({
        username,
        email: `${username}@x`,
        firstName: "F",
        lastName: "x".repeat(200),
      });
      const answered = await Promise.all(names.map((name) => sparekey.admin("POST", "/api/v1/users", input(name))));
      for (const [j, { status }] of answered.entries()) answers.set(names[j] ?? "", status);
      if (answered.every(({ status }) => status === 503)) break;
    }
    // What is left may be room for a small record; use that up too.
    while ((await sparekey.client("POST", "/api/v1/verify", { user: "nobody", code })).status !== 503);
    for (const answer of await Promise.all(everyCall())) assertUnavailable(answer);
    await run("PRAGMA max_page_count = 100000");
    for (const [username, status] of answers) {
      const lookup = await sparekey.admin("POST", "/AdminInterface/restapi/v1/users/lookup", { username });
      assert.equal(lookup.status, status === 503 ? 404 : 200, username);
    }
    assert.equal(await sparekey.verify("jane.doe", code), true);
  });

  it("while another process holds the database: 503 on every wire, and reading goes on", { skip }, async () => {
    await run("PRAGMA busy_timeout = 1");
    const other = new DatabaseSync(databaseIn(sparekey.dataDir));
    other.exec("BEGIN IMMEDIATE");
    for (const answer of await Promise.all(everyCall())) assertUnavailable(answer);
    assertUnavailable(await sparekey.call("GET", "/readyz"));
    assert.equal((await sparekey.admin("GET", `/api/v1/users/${jane.id}/emergency-access`)).status, 200);
    other.exec("ROLLBACK");
    other.close();
    assert.equal((await sparekey.call("GET", "/readyz")).status, 200);
    assert.equal(await sparekey.verify("jane.doe", code), true);
  });
});
