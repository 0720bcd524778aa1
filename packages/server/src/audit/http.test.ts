import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { AuditEvent, AuditPage, User } from "@sparekey/contract";
import { assertErrorShape } from "../testing/error-shape.ts";
import { startInstallation, type TestInstallation } from "../testing/installation.ts";

const path = "/api/v1/audit/events";

describe("the audit record over HTTP", () => {
  let sparekey: TestInstallation;
  let users: User[];
  before(async () => {
    sparekey = await startInstallation();
    users = [];
    for (let user = 1; user <= 12; user += 1) users.push(await sparekey.createUser(`user${user}.test`));
    for (const { id, username } of users.slice(0, 3)) await sparekey.verify(username, await sparekey.issue(id));
    await sparekey.verify("nobody", "00000000000");
  });
  after(() => sparekey.close());

  async function read(query = ""): Promise<AuditPage> {
    const { status, body } = await sparekey.admin("GET", path + query);
    assert.equal(status, 200, JSON.stringify(body));
    return body;
  }
  const sequencesOf = ({ events }: AuditPage) => events.map(({ sequence }) => sequence);

  it("200 gives every record once, in order, page after page", async () => {
    const whole = await read("?limit=1000");
    assert.ok(whole.events.length > 15);
    for (const limit of [1, 4, 7]) {
      const gathered: AuditEvent[] = [];
      let cursor = 0;
      while (true) {
        const page = await read(`?limit=${limit}&after=${cursor}`);
        if (page.events.length === 0) {
          assert.equal(page.cursor, cursor);
          break;
        }
        assert.ok(page.events.length <= limit);
        assert.equal(page.cursor, page.events.at(-1)?.sequence);
        cursor = page.cursor;
        gathered.push(...page.events);
      }
      assert.deepEqual(gathered, whole.events);
    }
    const sequences = sequencesOf(whole);
    assert.deepEqual(
      sequences,
      [...new Set(sequences)].sort((a, b) => a - b),
    );
  });

  it("200 goes on with what came since, from the cursor of the last page", async () => {
    const { cursor } = await read("?last=0");
    assert.deepEqual((await read(`?after=${cursor}`)).events, []);
    await sparekey.createUser("late.comer");
    const { events } = await read(`?after=${cursor}`);
    assert.deepEqual(
      events.map(({ action }) => action),
      ["user.created"],
    );
  });

  it("200 gives the newest, in the order of the record", async () => {
    const whole = await read("?limit=1000");
    for (const last of [1, 3, 1_000]) assert.deepEqual((await read(`?last=${last}`)).events, whole.events.slice(-last));
    assert.deepEqual(await read("?last=0"), { events: [], cursor: whole.cursor });
  });

  it("200 gives one user's, or one action's, and pages through them", async () => {
    const [user] = users;
    const ofUser = await read(`?userId=${user?.id}`);
    assert.deepEqual(
      ofUser.events.map(({ action }) => action),
      ["user.created", "emergency_code.issued", "emergency_code.verified"],
    );
    assert.ok(ofUser.events.every(({ userId }) => userId === user?.id));
    const issued = await read("?action=emergency_code.issued");
    assert.deepEqual(new Set(issued.events.map(({ action }) => action)), new Set(["emergency_code.issued"]));
    assert.equal(issued.events.length, 3);
    const [first, second] = issued.events;
    const page = await read(`?action=emergency_code.issued&after=${first?.sequence}&limit=1`);
    assert.deepEqual(page.events, [second]);
    assert.deepEqual((await read(`?userId=${user?.id}&action=user.disabled`)).events, []);
    assert.deepEqual((await read("?userId=nobody")).events, []);
  });

  it("200 gives a hundred unless asked for more", async () => {
    const { cursor } = await read("?last=0");
    for (let call = 0; call < 110; call += 1) await sparekey.call("GET", path);
    assert.equal((await read(`?after=${cursor}`)).events.length, 100);
    assert.equal((await read(`?after=${cursor}&limit=1000`)).events.length, 110);
  });

  it("200 says who did what, and keeps what was typed as an unknown name only as a digest", async () => {
    const [issued] = (await read("?action=emergency_code.issued")).events;
    assert.deepEqual(issued?.actor, { kind: "administrator", id: sparekey.keyFile.accessID });
    assert.equal(issued?.outcome, "success");
    assert.equal(issued?.at, sparekey.clock.now());
    assert.match(issued?.requestId ?? "", /^[0-9a-f-]{36}$/);
    await sparekey.verify("a code typed as a name", "00000000000");
    const [unknown] = (await read("?last=1")).events;
    assert.deepEqual([unknown?.outcome, unknown?.reason, unknown?.userId], ["refused", "unknown_user", null]);
    assert.equal(typeof unknown?.details.nameDigest, "string");
    assert.ok(!JSON.stringify(unknown).includes("a code typed"));
  });

  it("400 for a query that is none", async () => {
    const numbers = ["-1", "1.5", "x", "", "1e999", "NaN", "99999999999999999999", "true", "null", "%00"];
    const queries = [
      ...numbers.flatMap((value) => [`?after=${value}&limit=1`, `?limit=${value}`, `?last=${value}`]),
      ...[
        "?limit=0",
        "?limit=1001",
        "?last=1001",
        "?action=nothing",
        "?action=",
        "?action=user.created&action=user.updated",
      ],
      ...[
        "?strange=1",
        "?__proto__=1",
        "?constructor=1",
        `?userId=${"x".repeat(101)}`,
        "?userId=a&userId=b",
        "?limit=1&limit=2",
        "?after=1&after=2",
      ],
    ];
    for (const query of queries) {
      const answer = await sparekey.admin("GET", path + query);
      assert.equal(answer.status, 400, query);
      assertErrorShape(path, answer);
    }
  });
});
