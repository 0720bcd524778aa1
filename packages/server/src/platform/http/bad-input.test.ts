import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { assertErrorShape } from "../../testing/error-shape.ts";
import { startInstallation, type TestInstallation } from "../../testing/installation.ts";
import { exchange, type RawAnswer, requestText } from "../../testing/raw-http.ts";
import { listRoutes } from "../../testing/routes.ts";
import { changesNothing } from "../../testing/state.ts";

/** Every route that names a user, with a body that it would take. */
const userRoutes: [method: string, path: string, body?: unknown][] = [
  ["PUT", "/AdminInterface/restapi/v1/users/{userId}/emergencyTokencode", { expirationDays: "1" }],
  ["PUT", "/AdminInterface/restapi/v2/users/{userId}/emergencyTokencode", {}],
  ["DELETE", "/AdminInterface/restapi/v1/users/{userId}/emergencyTokencode/x"],
  ["DELETE", "/AdminInterface/restapi/v1/users/{userId}/emergencyTokencodes"],
  ["PUT", "/AdminInterface/restapi/v1/users/{userId}/userStatus", { userStatus: "Disabled" }],
  ["PATCH", "/AdminInterface/restapi/v1/users/{userId}/methods", { unlockMethods: ["EMERGENCY_TOKENCODE"] }],
  ["POST", "/api/v1/users/{userId}/emergency-code", {}],
  ["DELETE", "/api/v1/users/{userId}/emergency-code"],
  ["GET", "/api/v1/users/{userId}/emergency-access"],
];

/** Ids as they stand in the path, byte for byte. */
const hostileIds = new Map([
  ["a step up", "../users/{id}"],
  ["a step up and back", "{id}/../{id}"],
  ["an encoded step up", "..%2f..%2fusers%2f{id}"],
  ["a doubly encoded step up", "..%252f{id}"],
  ["dots", ".."],
  ["encoded dots", "%2e%2e"],
  ["a dot", "."],
  ["nothing", ""],
  ["NUL", "%00"],
  ["an id and NUL", "{id}%00"],
  ["NUL and an id", "%00{id}"],
  ["ten kilobytes", "a".repeat(10_240)],
  ["five hundred letters", "a".repeat(500)],
  ["a header of its own", "x%0d%0aset-cookie:%20evil=1"],
  ["a percent sign", "%"],
  ["half an escape", "%4"],
  ["no escape", "%zz"],
  ["an overlong slash", "%c0%af"],
  ["half a character", "%ed%a0%80"],
  ["a semicolon", "{id};admin=true"],
  ["an encoded question mark", "{id}%3fadmin=true"],
  ["an encoded fragment", "{id}%23"],
  ["a trailing space", "{id}%20"],
  ["a line end", "{id}%0a"],
  ["capitals", "{ID}"],
  ["SQL", "'%20OR%20'1'='1"],
  ["a wildcard", "%25"],
  ["a script", "%3Cscript%3Ealert(1)%3C/script%3E"],
  ["a template", "$%7B7*7%7D"],
  ["a mark to the right", "%e2%80%ae{id}"],
  ["emoji", "%f0%9f%94%91"],
  ["__proto__", "__proto__"],
  ["constructor", "constructor"],
]);

describe("a user id that is none", () => {
  let sparekey: TestInstallation;
  let id: string;
  let authorization: string;
  before(async () => {
    sparekey = await startInstallation();
    ({ id } = await sparekey.createUser("jane.doe"));
    await sparekey.issue(id);
    await sparekey.verify("jane.doe", "00000000000");
    authorization = `authorization: Bearer ${await sparekey.token()}`;
  });
  after(() => sparekey.close());

  const send = (method: string, path: string, body?: unknown): Promise<RawAnswer> => {
    const content = body === undefined ? {} : { body: JSON.stringify(body) };
    const headers = [authorization, ...(body === undefined ? [] : ["content-type: application/json"])];
    return exchange(sparekey, requestText(method, path, { headers, ...content }));
  };

  it("is tried on every route that takes one", async () => {
    const listed = (await listRoutes(sparekey)).filter(({ path }) => path.includes("{userId}"));
    const tried = userRoutes.map(([method, path]) => `${method} ${path.replace(/\/x$/, "/{eacId}")}`);
    assert.deepEqual(tried.sort(), listed.map(({ method, path }) => `${method} ${path}`).sort());
  });

  for (const [name, hostile] of hostileIds) {
    it(`400 or 404 for ${name}, and nothing happens`, async () => {
      for (const [method, template, body] of userRoutes) {
        const path = template.replace("{userId}", () =>
          hostile.replaceAll("{id}", id).replaceAll("{ID}", id.toUpperCase()),
        );
        const answer = await changesNothing(sparekey, () => send(method, path, body));
        assert.ok([400, 404].includes(answer.status), `${answer.status} for ${method} ${path}`);
        assertErrorShape(path, answer);
        assert.equal(answer.headers.get("set-cookie"), undefined);
      }
    });
  }

  it("200 or 204 for the id itself: the control", async () => {
    for (const [method, template, body] of userRoutes) {
      await sparekey.createUser("jane.doe", { status: "enabled" });
      const { status } = await send(method, template.replace("{userId}", id), body);
      assert.ok([200, 204].includes(status), `${method} ${template} ${status}`);
    }
  });
});
