import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { commandCall } from "../principal.ts";
import { forgedSignatures } from "../testing/forged-signatures.ts";
import { type Answer, startInstallation, type TestInstallation } from "../testing/installation.ts";
import { keysOf } from "../testing/keys.ts";
import { exchange, requestText } from "../testing/raw-http.ts";
import { changesNothing } from "../testing/state.ts";
import { createTokenKit, type TokenKit } from "../testing/token-kit.ts";
import { twistedTokens } from "../testing/twisted-claims.ts";

const path = "/AdminInterface/restapi/v1/users/lookup";
const body = { username: "jane.doe" };
const key = { role: "Super Administrator", description: "Another key" } as const;
const refused = [...forgedSignatures, ...twistedTokens];

describe("a legacy token that is forged, twisted or stale", () => {
  let sparekey: TestInstallation;
  let kit: TokenKit;
  before(async () => {
    sparekey = await startInstallation();
    await sparekey.createUser("jane.doe");
    await sparekey.changeSettings((settings) => {
      settings.rateLimits.refusedPerMinute = 100_000;
    });
    kit = createTokenKit(sparekey);
  });
  after(() => sparekey.close());

  const lookup = (headers: Record<string, string>) => sparekey.call("POST", path, { body, headers });

  function assertRefusedAtTheGate(answer: Answer) {
    assert.equal(answer.status, 403);
    assert.match(answer.headers.get("content-type") ?? "", /^application\/json/);
    assert.deepEqual(answer.body, {
      timestamp: kit.now * 1_000,
      status: 403,
      error: "Forbidden",
      message: "Server failed to process provided access token",
      path,
    });
  }

  it("200 for the honest token that every other one is made from", async () => {
    assert.equal((await lookup({ authorization: `Bearer ${kit.signed()}` })).status, 200);
  });

  it("there are enough of them, each with a name of its own", () => {
    assert.ok(refused.length >= 60, `${refused.length} tokens`);
    assert.equal(new Set(refused.map(({ name }) => name)).size, refused.length);
  });

  for (const { name, authorization } of refused) {
    it(`403 for ${name}`, async () => {
      const header = authorization(kit);
      assert.notEqual(header, `Bearer ${kit.signed()}`);
      assertRefusedAtTheGate(await changesNothing(sparekey, () => lookup({ authorization: header })));
    });
  }

  it("403 without any token, and for one that stands anywhere but in the header", async () => {
    const token = kit.signed();
    assertRefusedAtTheGate(await lookup({}));
    for (const name of ["x-authorization", "proxy-authorization", "cookie", "client-key", "x-access-token"]) {
      assertRefusedAtTheGate(await lookup({ [name]: `Bearer ${token}` }));
    }
    const inQuery = await sparekey.call("POST", `${path}?access_token=${token}`, { body });
    assertRefusedAtTheGate(inQuery);
    assertRefusedAtTheGate(await sparekey.call("POST", path, { body: { ...body, access_token: token } }));
  });

  it("403 for two Authorization headers, whichever of them is honest", async () => {
    const honest = `authorization: Bearer ${kit.signed()}`;
    const other = `authorization: Bearer ${kit.signed({ sub: "nobody" })}`;
    const content = { body: JSON.stringify(body), headers: ["content-type: application/json"] };
    for (const [pair, status] of [
      [[honest], 200],
      [[honest, other], 403],
      [[other, honest], 403],
      [[honest, honest], 403],
    ] as const) {
      const headers = [...content.headers, ...pair];
      const answer = await exchange(sparekey, requestText("POST", path, { ...content, headers }));
      assert.equal(answer.status, status, pair.join(" | "));
    }
  });

  it("403 for another key's signature under this key's access ID", async () => {
    const other = await keysOf(sparekey).apiKeys.create(commandCall, key);
    assert.equal((await lookup({ authorization: `Bearer ${await sparekey.token(other)}` })).status, 200);
    const mixed = await sparekey.token({ ...other, accessID: sparekey.keyFile.accessID });
    assertRefusedAtTheGate(await lookup({ authorization: `Bearer ${mixed}` }));
  });

  it("403 from the moment the key is deleted, also for a token that was accepted before", async () => {
    const { apiKeys } = keysOf(sparekey);
    const other = await apiKeys.create(commandCall, key);
    const authorization = `Bearer ${await sparekey.token(other)}`;
    assert.equal((await lookup({ authorization })).status, 200);
    await apiKeys.delete(commandCall, other.accessID);
    assertRefusedAtTheGate(await lookup({ authorization }));
  });

  it("every refusal is in the record, with a reason and without the token", async () => {
    const token = kit.signed({ exp: kit.now - 300 });
    await lookup({ authorization: `Bearer ${token}` });
    const { body: page } = await sparekey.admin("GET", "/api/v1/audit/events?last=1");
    const [event] = page.events;
    assert.deepEqual([event.action, event.outcome, event.reason], ["principal.refused", "refused", "bad_claims"]);
    assert.deepEqual(event.actor, { kind: "anonymous", id: null });
    for (const part of token.split(".")) assert.ok(!JSON.stringify(event).includes(part));
  });
});
