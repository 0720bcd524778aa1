import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { fastify } from "fastify";
import { createApp } from "../app.ts";
import type { Wire } from "../platform/http/wire.ts";
import { createLog } from "../platform/log.ts";
import { systemRandom } from "../platform/random.ts";
import { openKeyring } from "../testing/data-directory.ts";
import { assertErrorShape } from "../testing/error-shape.ts";
import { startInstallation, type TestInstallation } from "../testing/installation.ts";
import { exchange, requestText } from "../testing/raw-http.ts";
import { callRoute, concretePath, isGuarded, type ListedRoute, listRoutes } from "../testing/routes.ts";
import { changesNothing } from "../testing/state.ts";
import { guardRoutes } from "./http.ts";
import type { AccessService } from "./service.ts";

/** A route that is not here is one that nobody has thought about: say who may call it, and add it. */
const administrator = [
  "PUT /AdminInterface/restapi/v1/users/{userId}/emergencyTokencode",
  "PUT /AdminInterface/restapi/v2/users/{userId}/emergencyTokencode",
  "DELETE /AdminInterface/restapi/v1/users/{userId}/emergencyTokencode/{eacId}",
  "DELETE /AdminInterface/restapi/v1/users/{userId}/emergencyTokencodes",
  "POST /AdminInterface/restapi/v1/users/lookup",
  "PUT /AdminInterface/restapi/v1/users/{userId}/userStatus",
  "PATCH /AdminInterface/restapi/v1/users/{userId}/methods",
  "POST /api/v1/users",
  "POST /api/v1/users/{userId}/emergency-code",
  "DELETE /api/v1/users/{userId}/emergency-code",
  "GET /api/v1/users/{userId}/emergency-access",
  "GET /api/v1/settings",
  "PUT /api/v1/settings",
  "GET /api/v1/settings/lint",
  "GET /api/v1/audit/events",
];
const authenticationClient = [
  "POST /mfa/v1_1/authn/initialize",
  "POST /mfa/v1_1/authn/verify",
  "POST /mfa/v1_1/authn/status",
  "POST /mfa/v1_1/authn/cancel",
  "POST /api/v1/verify",
];
const anyone = ["GET /healthz", "GET /readyz", "GET /openapi.json", "GET /metrics"];

const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY"];

describe("every route", () => {
  let sparekey: TestInstallation;
  let routes: ListedRoute[];
  let bearer: Record<string, string>;
  let clientKey: Record<string, string>;
  before(async () => {
    sparekey = await startInstallation();
    routes = await listRoutes(sparekey);
    bearer = { authorization: `Bearer ${await sparekey.token()}` };
    clientKey = { "client-key": sparekey.clientKey };
  });
  after(() => sparekey.close());

  const named = (by: ListedRoute["by"]) =>
    routes.filter((route) => route.by === by).map(({ method, path }) => `${method} ${path}`);

  async function secondApp(metricsToken?: string): Promise<Wire> {
    const { db, company, clock, rootKey } = sparekey;
    const node = await openKeyring({ db, company, rootKey, clock });
    const log = createLog("silent");
    return (await createApp({ db, company, ...node, clock, random: systemRandom, log, metricsToken })).http;
  }

  it("demands what it was meant to demand", () => {
    assert.deepEqual(named("administrator").sort(), administrator.sort());
    assert.deepEqual(named("authenticationClient").sort(), authenticationClient.sort());
    assert.deepEqual(named("nobody in particular").sort(), anyone.sort());
  });

  it("is in the API document", async () => {
    const app = await secondApp();
    const paths = new Set(routes.map(({ path }) => path.replace(/\{(\w+)\}/g, ":$1")));
    assert.deepEqual([...pathsIn(app.printRoutes({ commonPrefix: false }))].sort(), [...paths].sort());
    await app.close();
  });

  it("403 for an administrator's call without a token, with a wrong one, and with a client key", async () => {
    for (const route of routes.filter(({ by }) => by === "administrator")) {
      for (const headers of [
        {},
        { authorization: "Bearer x" },
        clientKey,
        { authorization: `Bearer ${sparekey.clientKey}` },
      ]) {
        const answer = await changesNothing(sparekey, () => callRoute(sparekey, route, headers));
        assert.equal(answer.status, 403, `${route.method} ${route.path}`);
        assertErrorShape(concretePath(route), answer);
      }
      // The control: with the token it is the request that is refused, if anything.
      const { status } = await callRoute(sparekey, route, bearer);
      assert.ok([200, 400, 404].includes(status), `${route.method} ${route.path} ${status}`);
    }
  });

  it("401 for an authentication client's call without a key, with a wrong one, and with a token", async () => {
    const { clientKey: right } = sparekey;
    const keys = [
      "",
      "x",
      right.slice(1),
      `${right}x`,
      ` ${right}x`,
      right.toLowerCase(),
      "A".repeat(64),
      `${right}, ${right}`,
    ];
    const wrong = [{}, bearer, { authorization: `Bearer ${right}` }, ...keys.map((key) => ({ "client-key": key }))];
    for (const route of routes.filter(({ by }) => by === "authenticationClient")) {
      for (const headers of wrong) {
        const answer = await changesNothing(sparekey, () =>
          callRoute(sparekey, route, headers as Record<string, string>),
        );
        assert.equal(answer.status, 401, `${route.path} ${JSON.stringify(headers)}`);
        assertErrorShape(concretePath(route), answer);
      }
      assert.equal((await callRoute(sparekey, route, clientKey)).status, 400);
    }
  });

  it("401 for two client keys, whichever of them is right", async () => {
    const right = `client-key: ${sparekey.clientKey}`;
    const other = `client-key: ${"A".repeat(64)}`;
    const request = { body: '{"user":"x","code":"x"}' };
    for (const [pair, status] of [
      [[right], 200],
      [[right, other], 401],
      [[other, right], 401],
    ] as const) {
      const headers = ["content-type: application/json", ...pair];
      const answer = await exchange(sparekey, requestText("POST", "/api/v1/verify", { ...request, headers }));
      assert.equal(answer.status, status);
    }
  });

  it("405 for every method that it does not have, with those that it has", async () => {
    for (const path of new Set(routes.map((route) => route.path))) {
      const own = routes.filter((route) => route.path === path).map(({ method }) => method);
      const allowed = [...own, ...(own.includes("GET") ? ["HEAD"] : [])].sort();
      for (const method of methods.filter((one) => !allowed.includes(one))) {
        const headers = ["content-type: application/json"];
        const concrete = concretePath({ method, path, by: "nobody in particular" });
        const answer = await exchange(sparekey, requestText(method, concrete, { headers }));
        assert.equal(answer.status, 405, `${method} ${path}`);
        assert.equal(answer.headers.get("allow"), allowed.join(", "));
        if (method !== "HEAD") assertErrorShape(concrete, answer);
      }
    }
  });

  it("answers the same under doubled slashes, which clients make when they join two paths", async () => {
    for (const route of routes) {
      const doubled = concretePath(route).replaceAll("/", "//").replace("//", "/");
      const headers = ["content-type: application/json"];
      const once = await exchange(sparekey, requestText(route.method, concretePath(route), { headers }));
      const twice = await exchange(sparekey, requestText(route.method, doubled, { headers }));
      assert.equal(twice.status, once.status, doubled);
      assert.equal(isGuarded(route), [401, 403].includes(twice.status), doubled);
    }
  });

  it("200 for the metrics with their token alone, once there is one", async () => {
    const app = await secondApp("a-token-of-its-own");
    const read = (authorization?: string) =>
      app.inject({ url: "/metrics", headers: authorization === undefined ? {} : { authorization } });
    for (const wrong of [
      undefined,
      "Bearer x",
      "a-token-of-its-own",
      "Basic a-token-of-its-own",
      bearer.authorization,
    ]) {
      const { statusCode, headers } = await read(wrong);
      assert.equal(statusCode, 403, wrong);
      // A token can be guessed at, so guesses are counted as everywhere.
      assert.match(String(headers["ratelimit-policy"]), /^"refused";/);
    }
    assert.match((await read("Bearer a-token-of-its-own")).body, /^# HELP /);
    await app.close();
  });
});

describe("a route that does not say who may call it", () => {
  it("keeps the server from starting", async () => {
    const server = fastify() as unknown as Wire;
    guardRoutes(server, {} as AccessService);
    const handler = async () => "secret";
    server.get("/declared", { config: { access: { by: "anyone", because: "of this test" } }, handler });
    assert.throws(() => server.get("/forgotten", { handler }), /GET \/forgotten does not declare who may call it/);
    await server.close();
  });
});

/** The paths of Fastify's tree of routes, in which every branch is a part of a path. */
function pathsIn(tree: string): Set<string> {
  const parts: string[] = [];
  const paths = new Set<string>();
  for (const line of tree.split("\n").filter((one) => one !== "")) {
    const [, indent = "", part = "", found] = /^([│ ]*)[├└]── (\S*)( \(.+\))?$/.exec(line) ?? assert.fail(line);
    parts.splice(indent.length / 4, parts.length, part);
    if (found !== undefined) paths.add(parts.join(""));
  }
  return paths;
}
