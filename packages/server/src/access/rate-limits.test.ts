import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { commandCall } from "../principal.ts";
import { assertErrorShape } from "../testing/error-shape.ts";
import { type Answer, startInstallation, type TestInstallation } from "../testing/installation.ts";
import { keysOf } from "../testing/keys.ts";
import { callRoute, concretePath, isGuarded, type ListedRoute, listRoutes } from "../testing/routes.ts";
import { changesNothing } from "../testing/state.ts";

/** The lowest that a limit can be. */
const lowest = 10;

/** What an answer says of a budget. */
function budgetIn({ headers }: Answer) {
  const [, name, quota, window] = /^"(\w+)";q=(\d+);w=(\d+)$/.exec(headers.get("ratelimit-policy") ?? "") ?? [];
  const [, again, remaining, reset] = /^"(\w+)";r=(\d+);t=(\d+)$/.exec(headers.get("ratelimit") ?? "") ?? [];
  assert.equal(again, name);
  return { name, quota: Number(quota), window: Number(window), remaining: Number(remaining), reset: Number(reset) };
}

function assertTooMany(route: ListedRoute, answer: Answer) {
  assert.equal(answer.status, 429, `${route.method} ${route.path}`);
  assertErrorShape(concretePath(route), answer);
  const { window, remaining, reset } = budgetIn(answer);
  assert.deepEqual([window, remaining], [60, 0]);
  const retryAfter = answer.headers.get("retry-after") ?? "";
  assert.match(retryAfter, /^\d+$/);
  assert.ok(Number(retryAfter) >= 1 && Number(retryAfter) <= 60, retryAfter);
  assert.ok(reset >= 1 && reset <= 60);
}

async function withLimits(sparekey: TestInstallation, change: Record<string, number>) {
  await sparekey.changeSettings(({ rateLimits }) => Object.assign(rateLimits, change));
}

describe("calls with a credential", () => {
  let sparekey: TestInstallation;
  let guarded: ListedRoute[];
  const headersFor = async ({ by }: ListedRoute): Promise<Record<string, string>> =>
    by === "administrator"
      ? { authorization: `Bearer ${await sparekey.token()}` }
      : { "client-key": sparekey.clientKey };
  before(async () => {
    sparekey = await startInstallation();
    guarded = (await listRoutes(sparekey)).filter(isGuarded);
  });
  after(() => sparekey.close());

  it("each spends one of its key's budget, whichever route it calls and whatever is answered", async () => {
    assert.ok(guarded.length >= 20);
    for (const route of guarded) {
      const headers = await headersFor(route);
      const [first, second] = [await callRoute(sparekey, route, headers), await callRoute(sparekey, route, headers)];
      const { name, quota, window, remaining } = budgetIn(second);
      assert.equal(name, route.by === "administrator" ? "administration" : "authentication");
      assert.deepEqual([quota, window], [name === "administration" ? 1_200 : 12_000, 60]);
      assert.equal(remaining, budgetIn(first).remaining - 1, `${route.method} ${route.path}`);
    }
  });

  it("429 for every one of them once the budget is spent, and nothing happens", async () => {
    await withLimits(sparekey, { administrationPerMinute: lowest, authenticationPerMinute: lowest });
    for (const route of guarded) {
      const headers = await headersFor(route);
      assertTooMany(route, await changesNothing(sparekey, () => callRoute(sparekey, route, headers)));
    }
  });

  it("another key has a budget of its own", async () => {
    const { apiKeys, authnKeys } = keysOf(sparekey);
    const other = await apiKeys.create(commandCall, { role: "Super Administrator", description: "Another key" });
    const authorization = `Bearer ${await sparekey.token(other)}`;
    const { clientKey } = await authnKeys.create(commandCall, "Another key");
    const headersOf = ({ by }: ListedRoute) =>
      by === "administrator" ? { authorization } : { "client-key": clientKey };
    for (const [name, route] of Object.entries(Object.groupBy(guarded, ({ by }) => by)).map(
      ([by, [one]]) => [by, one] as const,
    )) {
      assert.ok(route !== undefined, name);
      for (let call = 1; call <= lowest; call += 1) {
        assert.notEqual((await callRoute(sparekey, route, headersOf(route))).status, 429);
      }
      assertTooMany(route, await callRoute(sparekey, route, headersOf(route)));
    }
  });
});

describe("calls with a credential that is refused", () => {
  let sparekey: TestInstallation;
  let guarded: ListedRoute[];
  const wrong = { authorization: "Bearer x", "client-key": "x" };
  before(async () => {
    sparekey = await startInstallation();
    guarded = (await listRoutes(sparekey)).filter(isGuarded);
  });
  after(() => sparekey.close());

  const recordedRefusals = async () =>
    (await sparekey.recorded()).filter((action) => action.startsWith("principal.refused")).length;

  it("each spends one of its network's budget", async () => {
    for (const route of guarded) {
      const [first, second] = [await callRoute(sparekey, route, wrong), await callRoute(sparekey, route, wrong)];
      assert.equal(budgetIn(second).name, "refused");
      assert.equal(budgetIn(second).remaining, budgetIn(first).remaining - 1, `${route.method} ${route.path}`);
    }
  });

  it("429 for every one of them once the budget is spent, and the record grows no more", async () => {
    await withLimits(sparekey, { refusedPerMinute: lowest });
    const before = await recordedRefusals();
    assert.equal(before, 2 * guarded.length);
    for (const route of guarded) {
      assertTooMany(route, await changesNothing(sparekey, () => callRoute(sparekey, route, wrong)));
    }
    assert.equal(await recordedRefusals(), before);
  });

  it("a right credential is still let in from there", async () => {
    const user = await sparekey.createUser("jane.doe");
    assert.equal(await sparekey.verify("jane.doe", await sparekey.issue(user.id)), true);
  });
});

describe("the limits", () => {
  it("400 for a setting that would turn one off", async () => {
    const sparekey = await startInstallation();
    const { body: settings, headers } = await sparekey.admin("GET", "/api/v1/settings");
    const authorization = `Bearer ${await sparekey.token()}`;
    const put = (body: unknown) =>
      sparekey.call("PUT", "/api/v1/settings", {
        body,
        headers: { authorization, "if-match": headers.get("etag") ?? "" },
      });
    for (const name of Object.keys(settings.rateLimits)) {
      for (const value of [0, -1, 9, 1e12, null, "100", undefined]) {
        const { status } = await put({ ...settings, rateLimits: { ...settings.rateLimits, [name]: value } });
        assert.equal(status, 400, `${name} ${value}`);
      }
    }
    assert.equal((await put({ ...settings, rateLimits: undefined })).status, 400);
    assert.equal((await put(settings)).status, 200);
    await sparekey.close();
  });
});
