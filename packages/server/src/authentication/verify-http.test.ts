import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { assertErrorShape } from "../testing/error-shape.ts";
import { startInstallation, type TestInstallation } from "../testing/installation.ts";
import { changesNothing } from "../testing/state.ts";

const path = "/api/v1/verify";

describe("verification in one call", () => {
  let sparekey: TestInstallation;
  before(async () => {
    sparekey = await startInstallation();
  });
  after(() => sparekey.close());

  const send = (body: unknown) => sparekey.client("POST", path, body);

  it("200 with true for the right code, and with nothing else", async () => {
    const { id } = await sparekey.createUser("jane.doe", { alternateUsername: "jd" });
    const code = await sparekey.issue(id);
    for (const user of ["jane.doe", "JANE.DOE", "jd", "jane.doe@example.com"]) {
      const { status, headers, body } = await send({ user, code });
      assert.deepEqual([status, body], [200, { accepted: true }]);
      assert.equal(headers.get("cache-control"), "no-store");
    }
  });

  it("200 with false for a wrong code, a slip, a used one-time code and an unknown user: no reason is given", async () => {
    const { id } = await sparekey.createUser("john.doe");
    const code = await sparekey.issue(id, { oneTime: true });
    assert.deepEqual((await send({ user: "john.doe", code })).body, { accepted: true });
    const typed = [code, "00000000000", "x", " ", "7".repeat(1_000), "🔑", "\u0000", "' OR 1=1 --", "0".repeat(8)];
    for (const one of typed)
      assert.deepEqual((await send({ user: "john.doe", code: one })).body, { accepted: false }, one);
    for (const user of ["nobody", " ", "\u0000", "%", "x".repeat(1_000), id]) {
      assert.deepEqual((await send({ user, code })).body, { accepted: false }, user);
    }
  });

  it("400 for a request that is none", async () => {
    const values: unknown[] = ["", null, 1, true, [], ["x"], {}, { toString: "x" }, "x".repeat(1_001)];
    const bodies: unknown[] = [
      ...values.flatMap((value) => [
        { user: value, code: "x" },
        { user: "x", code: value },
      ]),
      { user: "x" },
      { code: "x" },
      { user: "x", code: "x", accepted: true },
      { username: "x", code: "x" },
      {},
      [],
      undefined,
    ];
    for (const body of bodies) {
      const answer = await changesNothing(sparekey, () => send(body));
      assert.equal(answer.status, 400, JSON.stringify(body));
      assertErrorShape(path, answer);
    }
  });

  it("401 for an administrator: a token is no client key", async () => {
    const { status } = await sparekey.admin("POST", path, { user: "x", code: "x" });
    assert.equal(status, 401);
  });
});
