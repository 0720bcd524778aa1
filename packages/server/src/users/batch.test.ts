import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { assertErrorShape } from "../testing/error-shape.ts";
import { startInstallation, type TestInstallation } from "../testing/installation.ts";
import { changesNothing } from "../testing/state.ts";

const path = "/api/v1/users";

describe("a batch of users", () => {
  let sparekey: TestInstallation;
  before(async () => {
    sparekey = await startInstallation();
  });
  after(() => sparekey.close());

  const row = (username: string) => ({ username, email: `${username}@example.com`, firstName: "", lastName: "" });
  const send = (body: unknown) => sparekey.admin("POST", path, body);

  it("200 for a thousand, with a result a row; and for the same again", async () => {
    const rows = Array.from({ length: 1_000 }, (_, place) => row(`user${place}`));
    const { status, body } = await send(rows);
    assert.equal(status, 200);
    const { results, ...counts } = body;
    assert.deepEqual(counts, { created: 1_000, updated: 0, unchanged: 0, refused: 0 });
    assert.equal(results.length, 1_000);
    for (const [place, result] of results.entries()) {
      assert.deepEqual([result.row, result.username, result.outcome], [place + 1, `user${place}`, "created"]);
      assert.equal(result.user.username, `user${place}`);
    }
    const again = await changesNothing(sparekey, () => send(rows));
    const { results: _, ...unchanged } = again.body;
    assert.deepEqual(unchanged, { created: 0, updated: 0, unchanged: 1_000, refused: 0 });
  });

  it("400 for a thousand and one, and for none: no row of them is looked at", async () => {
    const rows = Array.from({ length: 1_001 }, (_, place) => row(`more${place}`));
    assert.equal((await changesNothing(sparekey, () => send(rows))).status, 400);
    assert.equal((await changesNothing(sparekey, () => send([]))).status, 400);
  });

  it("200 refuses rows one by one, with a code each, and stops for none", async () => {
    await send({ ...row("taken"), alternateUsername: "alias" });
    const rows = [
      row("first"),
      { ...row("second"), email: "taken@example.com" },
      { ...row("third"), username: "" },
      { ...row("fourth"), extra: 1 },
      "fifth",
      null,
      [row("seventh")],
      { ...row("eighth"), username: { toString: 1, valueOf: 1 } },
      { ...row("alias"), email: "free@example.com" },
      { ...row("taken"), firstName: "New" },
      row("first"),
    ];
    const { status, body } = await send(rows);
    assert.equal(status, 200);
    const { results, ...counts } = body;
    assert.deepEqual(counts, { created: 1, updated: 1, unchanged: 1, refused: 8 });
    const outcomes = results.map(({ row: place, username, outcome, code = "" }: Record<string, string>) =>
      [place, username, outcome, code].join(" ").trim(),
    );
    assert.deepEqual(outcomes, [
      "1 first created",
      "2 second refused login_name_taken",
      "3  refused malformed_request",
      "4 fourth refused malformed_request",
      "5  refused malformed_request",
      "6  refused malformed_request",
      "7  refused malformed_request",
      "8  refused malformed_request",
      "9 alias refused login_name_taken",
      "10 taken updated",
      "11 first unchanged",
    ]);
    for (const { outcome, user, detail } of results) {
      assert.equal(user === undefined, outcome === "refused");
      assert.equal(typeof detail, outcome === "refused" ? "string" : "undefined");
    }
  });

  it("200 refuses a row that is nested as deeply as a body can be", async () => {
    const deep = "[".repeat(100_000) + "]".repeat(100_000);
    const answer = await changesNothing(sparekey, () => send(`[{"username":${deep}},${deep},{"groups":${deep}}]`));
    assert.deepEqual([answer.status, answer.body.refused], [200, 3]);
  });

  it("413 for a batch over its own limit, which is larger than that of other calls", async () => {
    const rows = Array.from({ length: 1_000 }, (_, place) => ({ ...row(`big${place}`), firstName: "x".repeat(200) }));
    assert.ok(JSON.stringify(rows).length > 64 * 1_024);
    assert.equal((await send(rows)).status, 200);
    const text = JSON.stringify([{ ...row("huge"), firstName: "x".repeat(4 * 1_024 * 1_024) }]);
    const answer = await changesNothing(sparekey, () => send(text));
    assert.equal(answer.status, 413);
    assertErrorShape(path, answer);
  });
});
