import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { createApp } from "../app.ts";
import { createLog } from "../platform/log.ts";
import { systemRandom } from "../platform/random.ts";
import { commandCall } from "../principal.ts";
import { accepted, challenged, failed, stale, wrongCode } from "../testing/authn-answers.ts";
import { AuthnClient, credential } from "../testing/authn-client.ts";
import { openDataDirectory } from "../testing/data-directory.ts";
import { type Answer, startInstallation, type TestInstallation } from "../testing/installation.ts";
import { keysOf } from "../testing/keys.ts";
import { changesNothing } from "../testing/state.ts";

const wrong = "00000000000";
const secondMs = 1_000;

describe("an attempt, apart from what it answers", () => {
  let sparekey: TestInstallation;
  let client: AuthnClient;
  let name: string;
  let code: string;
  let users = 0;
  before(async () => {
    sparekey = await startInstallation();
  });
  after(() => sparekey.close());
  beforeEach(async () => {
    users += 1;
    name = `user${users}.test`;
    code = await sparekey.issue((await sparekey.createUser(name)).id);
    client = new AuthnClient(sparekey);
  });

  const says = ({ body: { context: _, ...rest } }: Answer) => rest;
  const openAttempts = async () =>
    (await sparekey.db.read.selectFrom("authn_attempts").select("id").execute()).map(({ id }) => id);

  it("404 once it has ended by itself, after 300 seconds or what the client asked for", async () => {
    const timeouts: [unknown, number][] = [
      [undefined, 300],
      [null, 300],
      [1, 1],
      ["1", 1],
      [90, 90],
      ["90", 90],
      [3_600, 3_600],
      ["3600", 3_600],
      ["0090", 90],
    ];
    for (const [authnAttemptTimeout, seconds] of timeouts) {
      assert.equal((await client.initialize(name, { authnAttemptTimeout })).status, 200);
      const end = Date.parse(sparekey.clock.now()) + seconds * secondMs;
      assert.equal((await client.status()).body.attemptExpires, new Date(end).toISOString());
      sparekey.clock.advance(seconds * secondMs - 1);
      assert.equal((await client.status()).status, 200, `${authnAttemptTimeout}`);
      sparekey.clock.advance(1);
      for (const answer of [await client.verify(code), await client.status(), await client.cancel()]) {
        assert.equal(answer.status, 404, `${authnAttemptTimeout}`);
      }
    }
  });

  it("200: every turn of it begins the time anew, a stale one does not", async () => {
    await client.initialize(name, { authnAttemptTimeout: 100 });
    for (const expected of [wrongCode, wrongCode]) {
      sparekey.clock.advance(99 * secondMs);
      assert.deepEqual(says(await client.verify(wrong)), expected);
    }
    sparekey.clock.advance(99 * secondMs);
    const context = { ...client.context(), inResponseTo: "an older message" };
    assert.deepEqual(says(await client.call("verify", { context, subjectCredentials: [credential(code)] })), stale);
    sparekey.clock.advance(1 * secondMs);
    assert.equal((await client.verify(code)).status, 404);
  });

  it("404 for another client's key, which neither sees it nor changes it", async () => {
    const { clientKey } = await keysOf(sparekey).authnKeys.create(commandCall, "Another client");
    const other = new AuthnClient(sparekey, clientKey);
    await client.initialize(name);
    Object.assign(other, { attemptId: client.attemptId, messageId: client.messageId });
    const calls = [() => other.verify(code), () => other.status(), () => other.status({ removeAttemptId: true })];
    for (const call of [...calls, () => other.cancel()]) {
      assert.equal((await changesNothing(sparekey, call)).status, 404);
    }
    assert.deepEqual(says(await client.verify(code)), accepted);
  });

  it("401 from the moment its key is deleted, and the attempt is gone with it", async () => {
    const { authnKeys } = keysOf(sparekey);
    const { id, clientKey } = await authnKeys.create(commandCall, "A client that leaves");
    const leaving = new AuthnClient(sparekey, clientKey);
    await leaving.initialize(name);
    await authnKeys.delete(commandCall, id);
    for (const answer of [await leaving.verify(code), await leaving.status(), await leaving.initialize(name)]) {
      assert.equal(answer.status, 401);
    }
    assert.ok(!(await openAttempts()).includes(leaving.attemptId));
  });

  it("goes on in another process on the same database, with the tries it has used", async () => {
    await client.initialize(name, { sessionAttributes: [{ kept: true }] });
    await client.verify(wrong);
    const { db, company, revision, keyring } = await openDataDirectory(sparekey, sparekey.clock);
    const log = createLog("silent");
    const { http } = await createApp({
      db,
      company,
      revision,
      keyring,
      clock: sparekey.clock,
      random: systemRandom,
      log,
    });
    const url = await http.listen({ host: "127.0.0.1", port: 0 });
    const there = new AuthnClient({
      ...sparekey,
      call: async (method, path, { body, headers } = {}) => {
        const type = { "content-type": "application/json" };
        const answer = await fetch(url + path, {
          method,
          body: JSON.stringify(body),
          headers: { ...headers, ...type },
        });
        return { status: answer.status, headers: answer.headers, body: await answer.json() };
      },
    });
    Object.assign(there, { attemptId: client.attemptId, messageId: client.messageId });
    const { body: status } = await there.status();
    assert.deepEqual([status.subjectName, status.sessionAttributes], [name, [{ kept: true }]]);
    assert.deepEqual(says(await there.verify(wrong)), wrongCode);
    // Here again: the message that was answered there is the latest.
    assert.deepEqual(says(await client.verify(code)), stale);
    assert.deepEqual(says(await client.verify(wrong)), failed);
    await http.close();
    await db.close();
  });

  it("a hundred attempts at once give no more guesses than the user's own limit", async () => {
    const clients = Array.from({ length: 100 }, () => new AuthnClient(sparekey));
    await Promise.all(clients.map((one) => one.initialize(name)));
    await Promise.all(clients.map((one) => one.verify(wrong)));
    assert.deepEqual(says(await client.initialize(name)), challenged);
    assert.deepEqual(says(await client.verify(code)), wrongCode);
    const verified = (await sparekey.recorded()).filter((action) => action.startsWith("emergency_code.verified/"));
    const counted = verified.filter((action) => /\/(locked|overtaken)$/.test(action)).length;
    assert.equal(counted, 91);
  });

  it("an answer never holds what was typed as the code, and neither does the record", async () => {
    const typed = ["7777-SENTINEL-7777", "SENTINEL", `${code} SENTINEL`];
    const answers: Answer[] = [await client.initialize(name, { subjectCredentials: [credential("SENTINEL")] })];
    for (const one of typed.slice(0, 2)) answers.push(await client.verify(one, { clientId: "a client", lang: "en" }));
    answers.push(
      await client.initialize(name, { keepAttempt: true }),
      await client.verify(code),
      await client.status(),
    );
    answers.push(await client.initialize(name), await client.verify(typed[2] ?? ""), await client.cancel());
    const shown = JSON.stringify(answers.map(({ body, headers }) => [body, [...headers]]));
    const { body: page } = await sparekey.admin("GET", "/api/v1/audit/events?limit=1000");
    for (const secret of ["SENTINEL", code, code.replaceAll("-", "")]) {
      assert.ok(!shown.includes(secret), shown);
      assert.ok(!JSON.stringify(page).includes(secret));
    }
  });
});
