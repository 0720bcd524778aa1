import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { KeyFile } from "@sparekey/contract";
import { commandCall } from "../principal.ts";
import { assertErrorShape } from "../testing/error-shape.ts";
import { type Answer, startInstallation, type TestInstallation } from "../testing/installation.ts";
import { keysOf } from "../testing/keys.ts";
import { exchange, requestText } from "../testing/raw-http.ts";
import { refuseRows } from "../testing/refused-rows.ts";
import { type IssuingRoute, isRepeated, issueBy, issuingRoutes } from "../testing/repeatable-calls.ts";
import { changesNothing } from "../testing/state.ts";

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
const [v1, v2, ours] = issuingRoutes as [IssuingRoute, IssuingRoute, IssuingRoute];

let sparekey: TestInstallation;
let helpDesk: KeyFile;
before(async () => {
  sparekey = await startInstallation();
  await sparekey.changeSettings(({ rateLimits }) => {
    for (const name of Object.keys(rateLimits) as (keyof typeof rateLimits)[]) rateLimits[name] = 1_000_000;
  });
  const { apiKeys } = keysOf(sparekey);
  helpDesk = await apiKeys.create(commandCall, { role: "Help Desk Administrator", description: "Help desk" });
});
after(() => sparekey.close());

let people = 0;
const newUser = () => sparekey.createUser(`user.${people++}`);
let keys = 0;
const newKey = () => `a key for test ${keys++}`;

/** What the record says of a user, action and reason. */
async function recordOf(userId: string): Promise<string[]> {
  const { body } = await sparekey.admin("GET", `/api/v1/audit/events?limit=1000&userId=${userId}`);
  return body.events
    .map(({ action, reason }: { action: string; reason: string | null }) => (reason ? `${action}/${reason}` : action))
    .filter((action: string) => !action.startsWith("user.cr"));
}

function assertRefused(route: IssuingRoute, answer: Answer, status: number, code: string) {
  assert.equal(answer.status, status, JSON.stringify(answer.body));
  assert.equal(isRepeated(answer), false);
  assertErrorShape(route.path("x"), answer);
  if (!route.isVendors) assert.equal(answer.body.code, code);
  assert.equal(answer.headers.get("retry-after"), code === "idempotency_in_progress" ? "1" : null);
}

for (const route of issuingRoutes) {
  describe(`${route.name} with an Idempotency-Key`, () => {
    it("200 with the first answer, word for word, when it is sent again: one code, and a record of both answers", async () => {
      const { id: userId, username } = await newUser();
      const key = newKey();
      const first = await issueBy(sparekey, route, { userId, key });
      assert.equal(first.status, 200);
      assert.equal(isRepeated(first), false);
      sparekey.clock.advance(3 * minuteMs);
      const again = await issueBy(sparekey, route, { userId, key });
      assert.equal(again.status, 200);
      assert.equal(isRepeated(again), true);
      assert.deepEqual(again.body, first.body);
      assert.deepEqual(await recordOf(userId), ["emergency_code.issued", "emergency_code.issue_repeated"]);
      assert.equal(await sparekey.verify(username, route.codeIn(first.body)), true);
    });

    it("the same when the properties come in another order, and when the key is in quotes", async () => {
      const { id: userId } = await newUser();
      const key = newKey();
      const first = await issueBy(sparekey, route, { userId, key });
      const body = Object.fromEntries(Object.entries(route.body).reverse());
      const again = await issueBy(sparekey, route, { userId, key: `"${key}"`, body });
      assert.deepEqual([isRepeated(again), again.body], [true, first.body]);
    });

    it("422 for another body or another user under the same key, which changes nothing", async () => {
      const [{ id: userId }, { id: otherId }] = [await newUser(), await newUser()];
      const key = newKey();
      const first = await issueBy(sparekey, route, { userId, key });
      for (const other of [
        { userId, key, body: route.otherBody },
        { userId: otherId, key },
      ]) {
        const answer = await changesNothing(sparekey, () => issueBy(sparekey, route, other));
        assertRefused(route, answer, 422, "idempotency_key_reused");
      }
      assert.deepEqual((await issueBy(sparekey, route, { userId, key })).body, first.body);
      assert.deepEqual(await recordOf(otherId), []);
    });

    it("409 from ten minutes on, to the millisecond, and a new call a day after that", async () => {
      const { id: userId } = await newUser();
      const key = newKey();
      const first = await issueBy(sparekey, route, { userId, key });
      sparekey.clock.advance(10 * minuteMs - 1);
      assert.equal(isRepeated(await issueBy(sparekey, route, { userId, key })), true);
      sparekey.clock.advance(1);
      const late = await changesNothing(sparekey, () => issueBy(sparekey, route, { userId, key }));
      assertRefused(route, late, 409, "idempotency_expired");
      sparekey.clock.advance(dayMs - 1);
      assertRefused(route, await issueBy(sparekey, route, { userId, key }), 409, "idempotency_expired");
      assertRefused(
        route,
        await issueBy(sparekey, route, { userId, key, body: route.otherBody }),
        422,
        "idempotency_key_reused",
      );
      sparekey.clock.advance(1);
      const next = await issueBy(sparekey, route, { userId, key, body: route.otherBody });
      assert.equal(next.status, 200);
      assert.equal(isRepeated(next), false);
      assert.notEqual(route.codeIn(next.body), route.codeIn(first.body));
      assert.equal(isRepeated(await issueBy(sparekey, route, { userId, key, body: route.otherBody })), true);
    });

    it("400 for what is no key, whoever the user is, and nothing is issued", async () => {
      const { id: userId } = await newUser();
      for (const key of ["", "k".repeat(15), "k".repeat(256), `"${"k".repeat(20)}`, `${"k".repeat(20)}é`]) {
        const answer = await changesNothing(sparekey, () => issueBy(sparekey, route, { userId, key }));
        assertRefused(route, answer, 400, "malformed_request");
        if (key !== "") assert.ok(!JSON.stringify(answer.body).includes(key));
      }
    });

    it("of sixteen calls at once, 200 with one code or 409", async () => {
      const { id: userId } = await newUser();
      const key = newKey();
      const answers = await Promise.all(Array.from({ length: 16 }, () => issueBy(sparekey, route, { userId, key })));
      const given = answers.filter(({ status }) => status === 200);
      assert.ok(given.length >= 1);
      for (const answer of answers) {
        if (answer.status === 200) assert.deepEqual(answer.body, given[0]?.body);
        else assertRefused(route, answer, 409, "idempotency_in_progress");
      }
      assert.equal((await recordOf(userId)).filter((action) => action === "emergency_code.issued").length, 1);
    });
  });
}

describe("a refusal under an Idempotency-Key", () => {
  it("is not kept: the same key issues once what stood in the way is gone", async () => {
    const { id: userId } = await newUser();
    const key = newKey();
    const setStatus = (userStatus: string) =>
      sparekey.admin("PUT", `/AdminInterface/restapi/v1/users/${userId}/userStatus`, { userStatus });
    await setStatus("Disabled");
    for (let i = 0; i < 2; i++) {
      const answer = await changesNothing(sparekey, () => issueBy(sparekey, ours, { userId, key }));
      assertRefused(ours, answer, 400, "user_disabled");
    }
    assert.deepEqual(await recordOf(userId), [
      "user.disabled",
      ...Array(2).fill("emergency_code.issued/user_disabled"),
    ]);
    await setStatus("Enabled");
    const issued = await issueBy(sparekey, ours, { userId, key });
    assert.deepEqual([issued.status, isRepeated(issued)], [200, false]);
  });

  it("is not kept for a user who does not exist, a body that is not valid, or a lifetime that is too long", async () => {
    const { id: userId } = await newUser();
    const key = newKey();
    const refused: [IssuingRoute, number, unknown, string][] = [
      [ours, 404, ours.body, "nobody"],
      [ours, 400, { strange: true }, userId],
      [ours, 400, { lifetime: { value: 8, unit: "days" } }, userId],
      [v2, 400, { expiryUnit: "days", expiryValue: "9" }, userId],
      [v1, 400, { expirationDays: 8 }, userId],
    ];
    for (const [route, status, body, id] of refused) {
      const answer = await changesNothing(sparekey, () => issueBy(sparekey, route, { userId: id, key, body }));
      assert.equal(answer.status, status);
    }
    for (const route of issuingRoutes) assert.equal((await issueBy(sparekey, route, { userId, key })).status, 200);
  });

  it("403 for who may not manage the user any more, though the first answer was theirs", async () => {
    const { id: userId, username } = await newUser();
    const key = newKey();
    assert.equal((await issueBy(sparekey, ours, { userId, key, keyFile: helpDesk })).status, 200);
    await sparekey.changeSettings((settings) => {
      settings.protectedGroups = ["Directors"];
    });
    const profile = { username, email: `${username}@example.com`, firstName: "Test", lastName: "User" };
    await sparekey.admin("POST", "/api/v1/users", { ...profile, groups: ["Directors"] });
    assertRefused(ours, await issueBy(sparekey, ours, { userId, key, keyFile: helpDesk }), 403, "protected_user");
  });
});

describe("the same Idempotency-Key", () => {
  it("names another call for another principal, and on another route", async () => {
    const { id: userId } = await newUser();
    const key = newKey();
    const answers: Answer[] = [];
    for (const keyFile of [sparekey.keyFile, helpDesk])
      for (const route of issuingRoutes) answers.push(await issueBy(sparekey, route, { userId, key, keyFile }));
    assert.deepEqual(
      answers.map(({ status }) => status),
      Array(6).fill(200),
    );
    assert.deepEqual(answers.filter(isRepeated), []);
    assert.equal((await recordOf(userId)).length, 6);
  });

  it("400 when it is sent twice", async () => {
    const { id: userId } = await newUser();
    const key = newKey();
    const headers = [
      `authorization: Bearer ${await sparekey.token()}`,
      "content-type: application/json",
      ...[key, key].map((value) => `idempotency-key: ${value}`),
    ];
    const request = requestText("POST", ours.path(userId), { headers, body: "{}" });
    assert.equal((await exchange(sparekey, request)).status, 400);
    assert.equal((await exchange(sparekey, request.replace(/idempotency-key: .*\r\n/, ""))).status, 200);
  });

  it("does nothing on a route that takes none", async () => {
    const { id: userId } = await newUser();
    const headers = { authorization: `Bearer ${await sparekey.token()}`, "idempotency-key": "short" };
    const { status } = await sparekey.call("DELETE", ours.path(userId), { headers });
    assert.equal(status, 204);
  });
});

describe("an answer that is given again", () => {
  it("is the first one, whatever became of its code since: revoked, replaced, used or of a disabled user", async () => {
    const after: [string, (userId: string, username: string, code: string) => Promise<unknown>][] = [
      ["revoked", (userId) => sparekey.admin("DELETE", ours.path(userId))],
      ["replaced", (userId) => sparekey.issue(userId)],
      ["used", (_, username, code) => sparekey.verify(username, code)],
      [
        "disabled",
        (userId) =>
          sparekey.admin("PUT", `/AdminInterface/restapi/v1/users/${userId}/userStatus`, { userStatus: "Disabled" }),
      ],
    ];
    for (const [what, happen] of after) {
      const { id: userId, username } = await newUser();
      const issue = { userId, key: newKey(), body: { oneTime: true } };
      const first = await issueBy(sparekey, ours, issue);
      await happen(userId, username, first.body.code);
      const before = await sparekey.admin("GET", `/api/v1/users/${userId}/emergency-access`);
      const again = await issueBy(sparekey, ours, issue);
      assert.deepEqual([again.status, isRepeated(again), again.body], [200, true, first.body], what);
      const { body: access } = await sparekey.admin("GET", `/api/v1/users/${userId}/emergency-access`);
      assert.deepEqual(access, before.body, what);
      assert.equal(await sparekey.verify(username, first.body.code), false, what);
    }
  });

  it("comes with its record or not at all", async () => {
    const { id: userId } = await newUser();
    const key = newKey();
    await issueBy(sparekey, ours, { userId, key });
    const run = (statement: string) =>
      sparekey.db.migrate((db) => db.executeQuery({ sql: statement, parameters: [] } as never));
    const [breakIt, mendIt] = refuseRows("audit_events");
    await run(breakIt);
    const answer = await issueBy(sparekey, ours, { userId, key });
    assert.equal(answer.status, 503);
    assert.equal(isRepeated(answer), false);
    await run(mendIt);
    assert.equal(isRepeated(await issueBy(sparekey, ours, { userId, key })), true);
  });
});

describe("the API document", () => {
  it("names the header and its errors on the routes that issue, and on no others", async () => {
    const { paths } = (await sparekey.call("GET", "/openapi.json")).body;
    const takers: string[] = [];
    for (const [path, operations] of Object.entries<Record<string, Operation>>(paths)) {
      for (const [method, { parameters = [], responses }] of Object.entries(operations)) {
        const header = parameters.find(({ name }) => name === "idempotency-key");
        if (header === undefined) continue;
        takers.push(`${method.toUpperCase()} ${path}`);
        assert.equal(header.in, "header");
        assert.ok(!header.required);
        for (const status of ["200", "409", "422", "4XX", "5XX"]) assert.ok(responses[status], status);
        assert.deepEqual(Object.keys(responses["200"]?.headers ?? {}), ["idempotency-replayed"]);
      }
    }
    assert.deepEqual(takers.sort(), issuingRoutes.map(({ method, path }) => `${method} ${path("{userId}")}`).sort());
  });
});

interface Operation {
  parameters?: { name: string; in: string; required?: boolean }[];
  responses: Record<string, { headers?: object }>;
}
