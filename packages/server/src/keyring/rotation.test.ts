import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { createServices } from "../app.ts";
import { systemRandom } from "../platform/random.ts";
import { startCore, type TestCore } from "../testing/core.ts";
import { openDataDirectory } from "../testing/data-directory.ts";
import { runSql } from "../testing/raw-sql.ts";
import { createWholeClock, rotationOf } from "../testing/rotation.ts";
import { type KeyPurpose, type KeyringService, keyPurposes } from "./service.ts";

const secondMs = 1_000;
const hourMs = 60 * 60 * secondMs;
const dayMs = 24 * hourMs;

interface Node {
  keyring: KeyringService;
  codes: TestCore["codes"];
  authentication: TestCore["authentication"];
}

describe("the rotation of keys, with two nodes at work", () => {
  let clock: ReturnType<typeof createWholeClock>;
  let core: TestCore;
  let nodes: [Node, Node];
  let closing: (() => Promise<void>)[];

  beforeEach(async () => {
    clock = createWholeClock();
    core = await startCore("vendor", clock);
    closing = [];
    nodes = [await startNode(), await startNode()];
  });
  afterEach(async () => {
    for (const close of closing) await close();
    await core.close();
  });

  async function startNode(): Promise<Node> {
    const open = await openDataDirectory(core, clock);
    closing.push(() => open.db.close());
    const services = createServices({ ...open, clock, random: systemRandom });
    return { keyring: open.keyring, ...services };
  }
  const rotate = (purposes: readonly KeyPurpose[] = keyPurposes, overlapMs?: number) =>
    rotationOf(core).rotate(core.rootKey, { purposes, overlapMs });
  const rotatePepper = async (overlapMs?: number) => (await rotate(["code_pepper"], overlapMs))[0] ?? assert.fail();
  const issueOn = async (node: Node, userId: string) =>
    (await node.codes.issue(core.administrator, userId, { lifetime: { value: 7, unit: "days" } })).code;
  const verifyOn = (node: Node, user: string, code: string) => node.codes.verify(core.client, { user, code });
  const currentOn = async ({ keyring }: Node) => (await keyring.fresh()).current("code_pepper").kid;
  const events = async (action: "key.rotated" | "emergency_code.verified" | "emergency_code.issued") =>
    (await core.audit.find({ action, limit: 1_000 })).events;

  it("begins to use the new key at its instant, on both nodes, and not a millisecond before", async () => {
    const before = await currentOn(nodes[0]);
    const { newKid } = await rotatePepper();
    clock.advance(2 * secondMs - 1);
    for (const node of nodes) assert.equal(await currentOn(node), before);
    clock.advance(1);
    for (const node of nodes) assert.equal(await currentOn(node), newKid);
  });

  it("is done only when every lease from before has run out, and every node knows the key before it is used", async () => {
    for (const node of nodes) await node.keyring.fresh();
    const { newKid } = await rotatePepper();
    assert.ok(Math.max(...clock.slept) >= 1_000);
    clock.advance(secondMs);
    for (const node of nodes) assert.ok((await node.keyring.fresh()).find("code_pepper", newKid));
  });

  it("never refuses a right code in the overlap, while codes are issued and verified without a pause", async () => {
    const { id } = await core.createUser("jane.doe");
    const first = await issueOn(nodes[0], id);
    const others = await Promise.all(["a", "b"].map((name) => core.createUser(name)));
    const kids = new Set<string>();
    let code = await issueOn(nodes[0], others[0]?.id ?? "");
    for (let step = 0; step < 130; step++) {
      if (step < 100 && step % 10 === 5) await rotatePepper(hourMs);
      clock.advance(120);
      for (const [i, node] of nodes.entries()) {
        const other = nodes[1 - i] as Node;
        assert.deepEqual(await verifyOn(node, "jane.doe", first), { accepted: true, userId: id });
        assert.equal((await verifyOn(node, "a", code)).accepted, true, `step ${step}`);
        code = await issueOn(other, others[0]?.id ?? "");
        assert.equal((await verifyOn(node, "a", code)).accepted, true, `step ${step}`);
        kids.add(await currentOn(node));
      }
    }
    assert.equal(kids.size, 11);
    assert.ok((await events("emergency_code.verified")).every(({ outcome }) => outcome === "success"));
  });

  for (const [name, overlapMs] of [
    ["its overlap", 2 * hourMs],
    ["no overlap", 0],
  ] as const) {
    it(`accepts a code to the last millisecond of ${name}, and from then on on no node`, async () => {
      const { id } = await core.createUser("jane.doe");
      const code = await issueOn(nodes[0], id);
      await rotatePepper(overlapMs);
      clock.advance(2 * secondMs + overlapMs - 1);
      for (const node of nodes) assert.equal((await verifyOn(node, "jane.doe", code)).accepted, true);
      assert.match((await nodes[0].codes.access(id)).explanation, /can sign in with the code until/);
      clock.advance(1);
      for (const node of nodes) {
        assert.deepEqual(await verifyOn(node, "jane.doe", code), { accepted: false, reason: "key_retired" });
      }
      assert.equal((await core.codes.access(id)).failures, 0, "a code that is none costs no try");
      const { status, explanation } = await nodes[0].codes.access(id);
      assert.equal(status, "expired");
      assert.match(explanation, /The code expired at .*: issue a new one/);
      assert.equal((await verifyOn(nodes[1], "jane.doe", await issueOn(nodes[0], id))).accepted, true);
    });
  }

  it("refuses a code whose key ends between the comparison and the decision", async () => {
    const { id } = await core.createUser("jane.doe");
    const code = await issueOn(nodes[0], id);
    const prepared = await nodes[0].codes.prepareVerification(core.client, { user: "jane.doe", code });
    const control = await nodes[0].codes.prepareVerification(core.client, { user: "jane.doe", code });
    await rotatePepper(0);
    clock.advance(2 * secondMs - 1);
    assert.equal((await control.decide()).accepted, true);
    clock.advance(1);
    assert.deepEqual(await prepared.decide(), { accepted: false, reason: "key_retired" });
  });

  it("says that it cannot answer, and not that the code is wrong, when the key was never known", async () => {
    const { id } = await core.createUser("jane.doe");
    const code = await issueOn(nodes[0], id);
    await runSql(core.db, "UPDATE emergency_access SET pepper_kid = 'no-such-key'");
    await assert.rejects(verifyOn(nodes[0], "jane.doe", code), { code: "unavailable" });
  });

  it("verifies nothing by a row that is relabelled with another key", async () => {
    const { id } = await core.createUser("jane.doe");
    const code = await issueOn(nodes[0], id);
    const { newKid, oldKids } = await rotatePepper();
    clock.advance(2 * secondMs);
    const relabel = (kid?: string) => runSql(core.db, `UPDATE emergency_access SET pepper_kid = '${kid}'`);
    await relabel(newKid);
    assert.deepEqual(await verifyOn(nodes[0], "jane.doe", code), { accepted: false, reason: "wrong_code" });
    await relabel(oldKids[0]);
    assert.equal((await verifyOn(nodes[0], "jane.doe", code)).accepted, true);
  });

  it("ends an attempt whose key has ended, as one that is not there", async () => {
    await core.createUser("jane.doe");
    const begin = { subjectName: "jane.doe", context: { messageId: "m" }, authnAttemptTimeout: 3_600 };
    const attempt = {
      authnAttemptId: (await nodes[0].authentication.initialize(core.client, begin)).context.authnAttemptId,
    };
    await rotate(["attempt_seal"], 0);
    clock.advance(2 * secondMs - 1);
    const status = () => nodes[1].authentication.status(core.client, { ...attempt, removeAttemptId: false } as never);
    assert.equal((await status()).subjectName, "jane.doe");
    clock.advance(1);
    await assert.rejects(status(), { code: "attempt_not_found" });
  });

  it("ten times in a row leaves one key for each purpose in use, and every older one with an end", async () => {
    for (let i = 0; i < 10; i++) await rotate(keyPurposes, i % 2 === 0 ? undefined : 0);
    clock.advance(2 * secondMs);
    for (const node of nodes) {
      const keys = await node.keyring.fresh();
      for (const purpose of keyPurposes) assert.equal(keys.retiredAt(purpose, keys.current(purpose).kid), null);
    }
    const counting = "SELECT purpose, count(*) AS made, count(retired_at) AS ended FROM keyring_keys GROUP BY purpose";
    for (const { purpose, made, ended } of await runSql(core.db, counting)) {
      assert.deepEqual([Number(made), Number(ended)], [11, 10], String(purpose));
    }
  });

  it("never gives an older key a longer life than it was told", async () => {
    const first = await rotatePepper(0);
    const second = await rotatePepper(dayMs);
    const keys = await (await startNode()).keyring.fresh();
    assert.equal(keys.retiredAt("code_pepper", first.oldKids[0] ?? ""), first.retiredAt);
    assert.deepEqual(second.oldKids, [first.newKid]);
  });

  it("by eight at once leaves no key without an end but the newest", async () => {
    const others = await Promise.all(Array.from({ length: 8 }, () => openDataDirectory(core, clock)));
    await Promise.all(
      others.map(({ db, company }) =>
        rotationOf({ db, company, clock }).rotate(core.rootKey, { purposes: ["code_pepper"], overlapMs: 0 }),
      ),
    );
    const counting = "SELECT count(*) AS open FROM keyring_keys WHERE purpose = 'code_pepper' AND retired_at IS NULL";
    assert.equal(Number((await runSql(core.db, counting))[0]?.open), 1);
    for (const { db } of others) await db.close();
  });

  it("writes one record for each purpose, with the keys and both instants, as done by a command", async () => {
    const rotations = await rotate();
    const recorded = await events("key.rotated");
    assert.deepEqual(
      recorded.map(({ details }) => details),
      rotations.map((rotation) => ({ ...rotation })),
    );
    assert.deepEqual(new Set(recorded.map(({ actor }) => actor.kind)), new Set(["command"]));
    const text = JSON.stringify(recorded);
    const keys = await (await startNode()).keyring.fresh();
    for (const { purpose, newKid } of rotations) {
      const bytes = keys.find(purpose, newKid)?.bytes ?? assert.fail();
      for (const form of ["hex", "base64", "base64url"] as const) assert.ok(!text.includes(bytes.toString(form)));
    }
  });

  it("changes nothing when its record cannot be written", async () => {
    const before = await runSql(core.db, "SELECT * FROM keyring_keys");
    await runSql(core.db, "ALTER TABLE audit_events RENAME TO hidden");
    await assert.rejects(rotate());
    await runSql(core.db, "ALTER TABLE hidden RENAME TO audit_events");
    assert.deepEqual(await runSql(core.db, "SELECT * FROM keyring_keys"), before);
  });
});

describe("a purpose that an earlier version did not have", () => {
  it("gets one key, however many nodes of the new version start at once", async () => {
    const core = await startCore();
    const nodes = await Promise.all(Array.from({ length: 10 }, () => openDataDirectory(core, core.clock)));
    await runSql(core.db, "DELETE FROM keyring_keys WHERE purpose = 'idempotency_seal'");
    await Promise.all(nodes.map(({ db }) => rotationOf({ ...core, db }).addMissingKeys(core.rootKey)));
    const rows = await core.db.read.selectFrom("keyring_keys").select("purpose").execute();
    assert.deepEqual(rows.map(({ purpose }) => purpose).sort(), [...keyPurposes].sort());
    const { events } = await core.audit.find({ action: "key.rotated" });
    assert.deepEqual(
      events.map(({ details }) => details.purpose),
      ["idempotency_seal"],
    );
    for (const { db } of nodes) await db.close();
    await core.close();
  });
});
