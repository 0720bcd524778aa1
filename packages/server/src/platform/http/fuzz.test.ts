/** Random requests through real HTTP. A failure prints fast-check's seed and path, which repeat it. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import fc from "fast-check";
import { assertErrorShape } from "../../testing/error-shape.ts";
import { startInstallation, type TestInstallation } from "../../testing/installation.ts";
import { exchange, type RawAnswer, requestText } from "../../testing/raw-http.ts";
import { isGuarded, type ListedRoute, listRoutes } from "../../testing/routes.ts";
import { exampleOf, type Place, type Schema, withValueAt } from "../../testing/schema-example.ts";
import { changesNothing } from "../../testing/state.ts";
import { createTokenKit } from "../../testing/token-kit.ts";

const runs = { numRuns: 300 };

/** Text of every kind that JSON can carry, and some that is not what it seems. */
const anyText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.string({ unit: "grapheme", maxLength: 20 }),
  fc.constantFrom("", "\0", "__proto__", "constructor", "toString", "1", "-1", "1e999", "null", "Enabled", "jane.doe"),
  // Half a character, and digits that are no digits.
  fc.constantFrom("\ud800", "\udfffx", "x\ud83d", "٣"),
);
const anyValue = fc.oneof(
  { weight: 3, arbitrary: anyText },
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom<unknown>(null, true, false, 0, -1, 1, 7, 8, 1e308, [], {}, [[]], { a: [] }),
  fc.jsonValue({ maxDepth: 4 }),
);
/** What stands in a path between two slashes. */
const anyId = anyText.map((text) => encodeURIComponent(text.toWellFormed()));
const printable = fc.string({
  unit: fc
    .integer({ min: 0x20, max: 0xff })
    .filter((code) => code !== 0x7f)
    .map((code) => String.fromCharCode(code)),
  maxLength: 60,
});
const anyHeader = fc
  .tuple(
    fc.constantFrom(
      ...[
        "accept",
        "accept-encoding",
        "content-encoding",
        "cookie",
        "if-match",
        "if-none-match",
        "origin",
        "range",
        "idempotency-key",
      ],
      ...[
        "x-forwarded-for",
        "x-forwarded-host",
        "x-http-method-override",
        "x-request-id",
        "forwarded",
        "x-original-url",
      ],
    ),
    printable,
  )
  .map(([name, value]) => `${name}: ${value}`);
const anyQuery = fc
  .array(fc.tuple(fc.oneof(fc.constantFrom("limit", "after", "last", "action", "userId"), anyId), anyId), {
    maxLength: 3,
  })
  .map((pairs) => (pairs.length === 0 ? "" : `?${pairs.map((pair) => pair.join("=")).join("&")}`));

describe("random requests", () => {
  let sparekey: TestInstallation;
  let routes: (ListedRoute & { schema?: Schema })[];
  let credentials: string[];
  let userId: string;
  before(async () => {
    sparekey = await startInstallation();
    await sparekey.changeSettings(({ rateLimits }) => {
      for (const name of Object.keys(rateLimits) as (keyof typeof rateLimits)[]) rateLimits[name] = 1_000_000;
    });
    userId = (await sparekey.createUser("jane.doe")).id;
    await sparekey.issue(userId);
    credentials = [`authorization: Bearer ${await sparekey.token()}`, `client-key: ${sparekey.clientKey}`];
    const { paths } = (await sparekey.call("GET", "/openapi.json")).body;
    routes = (await listRoutes(sparekey)).map((route) => {
      const content = paths[route.path][route.method.toLowerCase()].requestBody?.content;
      return content === undefined ? route : { ...route, schema: content["application/json"].schema };
    });
  });
  after(() => sparekey.close());

  const bytesOf = (text: string) => Buffer.from(text, "latin1");

  /** Sends it and fails unless it is answered as it should be: refused without a trace, or done. */
  async function assertAnswered(method: string, path: string, headers: string[], body: string | undefined) {
    const head = requestText(method, path, {
      headers: [...headers, ...(body === undefined ? [] : [`content-length: ${Buffer.byteLength(body)}`])],
    });
    const send = () => exchange(sparekey, Buffer.concat([bytesOf(head), Buffer.from(body ?? "")]));
    let answer: RawAnswer | undefined;
    await changesNothing(sparekey, async () => {
      answer = await send();
      // What was done may have changed something; what was refused must not have.
      if (answer.status < 400) throw new Done();
    }).catch((thrown: unknown) => {
      if (!(thrown instanceof Done)) throw thrown;
    });
    assert.ok(answer !== undefined && answer.status >= 200, `no answer to ${head}`);
    assert.ok(answer.status < 500, `${answer.status} ${JSON.stringify(answer.body)} to ${head}${body}`);
    if (answer.status >= 400) assertErrorShape(path, answer);
    return answer;
  }

  const idIn = (path: string, id: string) => path.replace(/\{\w+\}/g, () => id);

  it("to every route, with any id, query and header: never a 5xx, always the wire's shape, nothing changed when refused", async () => {
    const request = fc.record({
      route: fc.nat().map((place) => place % routes.length),
      id: fc.oneof(anyId, fc.constant("")),
      known: fc.boolean(),
      query: anyQuery,
      headers: fc.array(anyHeader, { maxLength: 3 }),
      body: fc.option(
        fc.oneof(
          anyValue.map((value) => JSON.stringify(value)),
          anyText,
        ),
        { nil: undefined },
      ),
      type: fc.constantFrom(
        "application/json",
        "application/json",
        "application/json; charset=utf-8",
        "text/plain",
        "x/y; z",
      ),
    });
    const statuses = new Set<number>();
    await fc.assert(
      fc.asyncProperty(request, async ({ route, id, known, query, headers, body, type }) => {
        const { method, path } = routes[route] as ListedRoute;
        const lines = [...credentials, ...headers, `content-type: ${type}`];
        const target = idIn(path, known ? userId : id) + query;
        statuses.add((await assertAnswered(method, target, lines, body)).status);
      }),
      runs,
    );
    // They got past the gate, and not all the same way.
    for (const status of [200, 400, 404]) assert.ok(statuses.has(status), [...statuses].join(" "));
  });

  it("that are right but for one value or one property: never a 5xx, and nothing changed when refused", async () => {
    const withBodies = routes.filter(({ schema }) => schema !== undefined);
    const request = fc.record({
      route: fc.nat().map((place) => place % withBodies.length),
      /** Which text of the body to change, how far up from it, and into what; or nothing. */
      change: fc.option(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 2 }), anyValue), { freq: 2 }),
      extra: fc.option(fc.tuple(anyText, anyValue), { freq: 1 }),
    });
    const statuses = new Set<number>();
    await fc.assert(
      fc.asyncProperty(request, async ({ route, change, extra }) => {
        const { method, path, schema } = withBodies[route] as ListedRoute & { schema: Schema };
        const { example, texts } = exampleOf(schema);
        let body = JSON.stringify(example);
        if (change !== null) {
          const [text, up, value] = change;
          const place = (texts[text % Math.max(1, texts.length)] ?? []) as Place;
          body = JSON.stringify(withValueAt(example, place.slice(0, Math.max(0, place.length - up)), value));
        }
        if (extra !== null)
          body = body.replace(/^\{"/, () => `{${extra.map((one) => JSON.stringify(one)).join(":")},"`);
        const lines = [...credentials, "content-type: application/json", 'if-match: "0"'];
        statuses.add((await assertAnswered(method, idIn(path, userId), lines, body)).status);
      }),
      runs,
    );
    for (const status of [200, 400]) assert.ok(statuses.has(status), [...statuses].join(" "));
  });

  it("with a key that would change an object's nature, at any depth: 400, and no object has changed", async () => {
    const withBodies = routes.filter(({ schema }) => schema !== undefined);
    const poison = fc.constantFrom(
      '"__proto__":{"polluted":1}',
      '"constructor":{"prototype":{"polluted":1}}',
      '"\\u005f_proto__":null',
    );
    const wrappers = fc.array(fc.constantFrom(["[", "]"], ['{"a":', "}"], ['[{},{"b":[', "]}]"]), { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(fc.nat(), poison, wrappers, async (place, key, around) => {
        const { method, path } = withBodies[place % withBodies.length] as ListedRoute;
        const body = around.reduce((inner, [open, close]) => `${open}${inner}${close}`, `{${key}}`);
        const lines = [...credentials, "content-type: application/json", 'if-match: "0"'];
        const answer = await assertAnswered(method, idIn(path, userId), lines, body);
        assert.equal(answer.status, 400, body);
        assert.equal("polluted" in {}, false);
      }),
      { numRuns: 100 },
    );
  });

  it("without a credential: 401 or 403 before anything else is looked at", async () => {
    const guarded = routes.filter(isGuarded);
    const request = fc.record({
      route: fc.nat(),
      id: anyId.filter((id) => id !== "" && id.length < 200),
      body: anyValue,
      query: anyQuery,
    });
    await fc.assert(
      fc.asyncProperty(request, async ({ route, id, body, query }) => {
        const { method, path, by } = guarded[route % guarded.length] as ListedRoute;
        const lines = ["content-type: application/json"];
        const { status } = await assertAnswered(method, idIn(path, id) + query, lines, JSON.stringify(body));
        assert.equal(status, by === "administrator" ? 403 : 401);
      }),
      { numRuns: 200 },
    );
  });

  it("with an honest token that was changed anywhere: 403", async () => {
    const token = createTokenKit(sparekey).signed();
    const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/~";
    const change = fc.record({
      place: fc.nat({ max: token.length - 1 }),
      letter: fc.constantFrom(...letters),
      cut: fc.integer({ min: 0, max: 3 }),
      keep: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(change, async ({ place, letter, cut, keep }) => {
        const changed = token.slice(0, place) + (keep ? letter : "") + token.slice(place + cut);
        fc.pre(changed !== token);
        const { status } = await assertAnswered(
          "GET",
          "/api/v1/settings",
          [`authorization: Bearer ${changed}`],
          undefined,
        );
        assert.equal(status, 403);
      }),
      runs,
    );
  });
});

/** Leaves the check for changes, because the request was not refused. */
class Done extends Error {}
