import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { failed, wrongCode } from "../testing/authn-answers.ts";
import { AuthnClient, credential } from "../testing/authn-client.ts";
import { type Answer, startInstallation, type TestInstallation } from "../testing/installation.ts";

const wrong = "00000000000";

describe("the answers to a user whose code cannot be accepted", () => {
  let sparekey: TestInstallation;
  /** Why, in words of one length, and what the user types: the right code wherever there is one. */
  const users = new Map<string, { name: string; code: string }>();
  before(async () => {
    sparekey = await startInstallation();
    const add = async (name: string, prepare: (id: string, code: string) => Promise<unknown>, hasCode = true) => {
      const { id } = await sparekey.createUser(`${name}.user`);
      const code = hasCode ? await sparekey.issue(id, { oneTime: true, lifetime: { value: 1, unit: "days" } }) : wrong;
      await prepare(id, code);
      users.set(name, { name: `${name}.user`, code });
    };
    const expiring = await sparekey.createUser("outdated.user");
    const expired = await sparekey.issue(expiring.id, { lifetime: { value: 1, unit: "minutes" } });
    sparekey.clock.advance(60_000);
    users.set("outdated", { name: "outdated.user", code: expired });
    users.set("stranger", { name: "stranger.user", code: wrong });
    await add("codeless", async () => {}, false);
    await add("mistaken", async () => {});
    users.set("mistaken", { name: "mistaken.user", code: wrong });
    await add("slipping", async () => {});
    users.set("slipping", { name: "slipping.user", code: "no code at all" });
    await add("consumed", (_, code) => sparekey.verify("consumed.user", code));
    await add("recalled", (id) => sparekey.admin("DELETE", `/api/v1/users/${id}/emergency-code`));
    await add("disabled", () => sparekey.createUser("disabled.user", { status: "disabled" }));
    await add("lockedup", async () => {
      for (let tries = 0; tries < 10; tries += 1) await sparekey.verify("lockedup.user", wrong);
    });
  });
  after(() => sparekey.close());

  /** Everything a client sees, byte for byte, but for what names this very message. */
  function visible({ status, headers, body }: Answer): string {
    const own = ["date", "x-request-id", "ratelimit"];
    const rest = [...headers].filter(([name]) => !own.includes(name));
    const text = JSON.stringify([status, rest, body]);
    return text.replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, "id");
  }

  /** A whole conversation in which the code is never accepted. */
  async function converse({ name, code }: { name: string; code: string }): Promise<string[]> {
    const client = new AuthnClient(sparekey);
    const answers = [await client.initialize(name)];
    for (let tries = 0; tries < 3; tries += 1) answers.push(await client.verify(code));
    answers.push(await client.verify(code), await client.status());
    answers.push(await client.initialize(name, { subjectCredentials: [credential(code)], keepAttempt: true }));
    answers.push(await client.verify(code), await client.verify(code), await client.cancel());
    return answers.map((answer) => visible(answer).replaceAll(name, "name"));
  }

  it("are those to a wrong code, byte for byte, for everyone and at every step", async () => {
    const conversations = new Map<string, string[]>();
    for (const [reason, user] of users) conversations.set(reason, await converse(user));
    const expected = conversations.get("mistaken") ?? [];
    assert.equal(expected.length, 10);
    assert.deepEqual(
      expected.map((text) => (JSON.parse(text) as [number])[0]),
      [200, 200, 200, 200, 404, 404, 200, 200, 200, 200],
    );
    for (const [reason, conversation] of conversations) assert.deepEqual(conversation, expected, reason);
    assert.equal(conversations.size, 9);
  });

  it("the control: a code that is accepted is seen at once", async () => {
    const { id } = await sparekey.createUser("accepted.user");
    const lucky = await converse({ name: "accepted.user", code: await sparekey.issue(id) });
    const mistaken = await converse({ name: "mistaken.user", code: wrong });
    assert.equal(lucky[0], mistaken[0]);
    assert.notEqual(lucky[1], mistaken[1]);
  });

  it("never show the user's own count: the third wrong code fails, locked or not", async () => {
    for (const name of ["lockedup.user", "stranger.user"]) {
      const client = new AuthnClient(sparekey);
      await client.initialize(name);
      for (const expected of [wrongCode, wrongCode, failed]) {
        const { context: _, ...rest } = (await client.verify(wrong)).body;
        assert.deepEqual(rest, expected);
      }
    }
  });

  it("the record knows the reason all the same", async () => {
    const { body } = await sparekey.admin("GET", "/api/v1/audit/events?limit=1000&action=emergency_code.verified");
    const reasons = new Set(body.events.map(({ reason }: { reason: string | null }) => reason));
    for (const reason of [
      "unknown_user",
      "no_code",
      "wrong_code",
      "slip",
      "expired",
      "consumed",
      "revoked",
      "user_disabled",
      "locked",
    ]) {
      assert.ok(reasons.has(reason), reason);
    }
  });
});
