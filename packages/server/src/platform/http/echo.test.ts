import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type Answer, startInstallation, type TestInstallation } from "../../testing/installation.ts";
import { type ListedRoute, listRoutes } from "../../testing/routes.ts";
import { exampleOf, type Place, type Schema, withValueAt } from "../../testing/schema-example.ts";

/** Where a wire answers with what it was sent, on purpose. Everything else that is sent stays unsaid. */
const answered: Record<string, RegExp> = {
  // A 404 of the vendor's names what was looked up.
  "POST /AdminInterface/restapi/v1/users/lookup": /^(email|username)$/,
  // An answer says which message it answers.
  "POST /mfa/v1_1/authn/initialize": /^context\.messageId$/,
  "POST /mfa/v1_1/authn/verify": /^context\.messageId$/,
  // A user is answered as it was stored.
  "POST /api/v1/users": /./,
};

describe("a code that was typed into the wrong field", () => {
  let sparekey: TestInstallation;
  let routes: (ListedRoute & { schema: Schema })[];
  let code: string;
  let headers: Record<string, string>;
  let userId: string;
  before(async () => {
    sparekey = await startInstallation();
    code = await sparekey.issue((await sparekey.createUser("jane.doe")).id);
    userId = (await sparekey.createUser("john.roe")).id;
    await sparekey.changeSettings(({ rateLimits }) => {
      for (const name of Object.keys(rateLimits) as (keyof typeof rateLimits)[]) rateLimits[name] = 1_000_000;
    });
    // No version of the settings is this one, so that the limits stay where they are.
    const ifMatch = { "if-match": '"0"' };
    headers = { authorization: `Bearer ${await sparekey.token()}`, "client-key": sparekey.clientKey, ...ifMatch };
    const { paths } = (await sparekey.call("GET", "/openapi.json")).body;
    routes = (await listRoutes(sparekey)).flatMap((route) => {
      const content = paths[route.path][route.method.toLowerCase()].requestBody?.content;
      return content === undefined ? [] : [{ ...route, schema: content["application/json"].schema }];
    });
  });
  after(() => sparekey.close());

  const send = ({ method, path }: ListedRoute, body: unknown, more: Record<string, string> = {}) =>
    sparekey.call(method, path.replace("{userId}", userId), { body, headers: { ...headers, ...more } });

  /** Fails if the code is anywhere in the answer, in groups or without. */
  function assertUnsaid(answer: Pick<Answer, "status" | "headers" | "body">, where: string) {
    assert.ok(answer.status < 500 && answer.status !== 429, `${where}: ${answer.status}`);
    const text = JSON.stringify([answer.body, [...answer.headers]]).toUpperCase();
    for (const form of [code, code.replaceAll("-", "")]) assert.ok(!text.includes(form), `${where}: ${text}`);
  }

  it("is never answered from a header or a query", async () => {
    for (const route of await listRoutes(sparekey)) {
      const path = `${route.path.replace(/\{\w+\}/g, userId)}`;
      const body = ["GET", "DELETE"].includes(route.method) ? {} : { body: {} };
      for (const header of [
        "x-request-id",
        "if-match",
        "content-type",
        "accept",
        "origin",
        "x-forwarded-for",
        "user-agent",
      ]) {
        const answer = await sparekey.call(route.method, path, { ...body, headers: { ...headers, [header]: code } });
        assertUnsaid(answer, `${route.method} ${route.path} ${header}`);
      }
      for (const query of [`?code=${code}`, `?${code}=1`, `?limit=${code}`, `?action=${code}`, `?userId=${code}`]) {
        const answer = await sparekey.call(route.method, path + query, { ...body, headers });
        if (route.path !== "/metrics") assertUnsaid(answer, `${route.method} ${route.path}${query}`);
      }
      for (const wrong of [{ authorization: `Bearer ${code}` }, { authorization: code }, { "client-key": code }]) {
        assertUnsaid(
          await sparekey.call(route.method, path, { ...body, headers: wrong }),
          `${route.method} ${route.path}`,
        );
      }
    }
  });

  it("is never answered, whichever field of whichever call it was", async () => {
    let fields = 0;
    for (const route of routes) {
      const name = `${route.method} ${route.path}`;
      const { example, texts } = exampleOf(route.schema);
      for (const place of texts.filter((one) => !answered[name]?.test(one.join(".")))) {
        fields += 1;
        for (const typed of [code, `x ${code.replaceAll("-", "")}`.padEnd(2_000, " y")]) {
          const where = `${name} ${place.join(".")}`;
          assertUnsaid(await send(route, withValueAt(example, place, typed)), where);
          assertUnsaid(await send(route, withValueAt(example, place, { [typed]: typed })), where);
        }
      }
    }
    assert.ok(fields >= 30, `${fields} fields`);
  });

  it("is never answered as a property, as the whole body, or as JSON that is broken", async () => {
    for (const route of routes) {
      const { example, texts } = exampleOf(route.schema);
      const parents = [[], ...texts.map((place) => place.slice(0, -1))] as Place[];
      for (const place of parents)
        assertUnsaid(await send(route, withValueAt(example, [...place, code], code)), route.path);
      for (const text of [code, `"${code}"`, `{"code":${code}}`, `{"${code}":`, `[${code}`]) {
        assertUnsaid(await send(route, text), route.path);
        assertUnsaid(await send(route, text, { "content-type": "text/plain" }), route.path);
      }
    }
  });

  it("the control: it is still the right code, and where a wire answers what it was sent it is seen", async () => {
    assert.equal(await sparekey.verify("jane.doe", code), true);
    const { status, body } = await sparekey.admin("POST", "/AdminInterface/restapi/v1/users/lookup", {
      username: code,
    });
    assert.throws(() => assertUnsaid({ status, body, headers: new Headers() }, "lookup"), /lookup: /);
  });
});
