import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { settingsOf } from "../../settings/service.ts";
import { assertErrorShape } from "../../testing/error-shape.ts";
import { type Answer, startInstallation, type TestInstallation } from "../../testing/installation.ts";
import { exchange, type RawAnswer, requestText } from "../../testing/raw-http.ts";
import { changesNothing } from "../../testing/state.ts";

/** One call a wire, with a body to break, and a path of the same wire that holds an id. */
const wires = [
  {
    name: "the vendor's administration",
    credential: "administrator",
    method: "POST",
    path: "/AdminInterface/restapi/v1/users/lookup",
    prefix: "/AdminInterface/restapi",
    pathWithId: "v1/users/{id}/userStatus",
    taken: '{"username":"nobody"}',
  },
  {
    name: "the vendor's authentication",
    credential: "client",
    method: "POST",
    path: "/mfa/v1_1/authn/initialize",
    prefix: "/mfa/v1_1",
    pathWithId: "authn/{id}",
    taken: '{"subjectName":"nobody","context":{"messageId":"1"}}',
  },
  {
    name: "our own administration",
    credential: "administrator",
    method: "PUT",
    path: "/api/v1/settings",
    prefix: "/api/v1",
    pathWithId: "users/{id}/emergency-access",
    taken: JSON.stringify(settingsOf("vendor")),
  },
  {
    name: "our own verification",
    credential: "client",
    method: "POST",
    path: "/api/v1/verify",
    prefix: "/api/v1",
    pathWithId: "users/{id}/emergency-code",
    taken: '{"user":"nobody","code":"x"}',
  },
] as const;

let sparekey: TestInstallation;
before(async () => {
  sparekey = await startInstallation();
});
after(() => sparekey.close());

for (const { name, credential, method, path, prefix, pathWithId, taken } of wires) {
  describe(`errors of ${name}`, () => {
    let headers: Record<string, string>;
    before(async () => {
      const administrator = { authorization: `Bearer ${await sparekey.token()}` };
      headers = credential === "administrator" ? administrator : { "client-key": sparekey.clientKey };
    });

    const call = (body: string, more: Record<string, string> = {}) =>
      changesNothing(sparekey, () => sparekey.call(method, path, { body, headers: { ...headers, ...more } }));

    function assertShape(answer: Answer | RawAnswer, status: number, calledPath: string = path) {
      assert.equal(answer.status, status, JSON.stringify(answer.body));
      assertErrorShape(calledPath, answer);
    }

    it("400 for JSON that is broken, which is not quoted", async () => {
      const bodies = ["{", "}", "undefined", "'x'", '{"a":1,}', '{"a" "b"}', "{a:1}", "NaN", "\u0000", "[1,]", '"'];
      for (const body of bodies) {
        assertShape(await call(body), 400);
      }
      for (const body of ["SENTINEL", '{"code":SENTINEL}', '{"SENTINEL":"SENTINEL"', '{"__proto__":"SENTINEL"}']) {
        const answer = await call(body);
        assertShape(answer, 400);
        assert.ok(!JSON.stringify(answer.body).includes("SENTINEL"));
      }
    });

    it("400 for JSON that is no object", async () => {
      for (const body of ["null", "1", '"text"', "true", "[]", "[[]]", " "]) assertShape(await call(body), 400);
    });

    it("400 for text that no record can hold", async () => {
      for (const half of ["\\ud800", "\\udfff", "\\uDBFF x", "\\udc00\\ud800", "\\\\\\ud800", "\\ud83d\\\\\\ude00"]) {
        assertShape(await call(`{"username":"${half}"}`), 400);
      }
    });

    it("400 for keys that would change what an object is, in a body that is right without them", async () => {
      assert.notEqual((await sparekey.call(method, path, { body: taken, headers })).status, 400);
      const keys = [
        '"__proto__":{"a":1}',
        '"constructor":{"prototype":{"a":1}}',
        '"\\u005f_proto__":{"a":1}',
        '"__proto__":null',
      ];
      for (const key of keys) assertShape(await call(taken.replace("{", `{${key},`)), 400);
      assert.equal(({} as { a?: number }).a, undefined);
    });

    it("404 for an unknown resource, with or without credentials", async () => {
      for (const unknown of [`${prefix}/nothing`, `${prefix}/`, `${path}/`, `${path}/more`, `${path}x`]) {
        assertShape(await sparekey.call("GET", unknown), 404, unknown);
        assertShape(await sparekey.call("POST", unknown, { headers }), 404, unknown);
      }
    });

    it("404 for an id of ten kilobytes, 400 for one that cannot be decoded", async () => {
      const pathOf = (id: string) => `${prefix}/${pathWithId.replace("{id}", id)}`;
      assertShape(await sparekey.call("PUT", pathOf("x".repeat(10_240)), { headers }), 404);
      for (const id of ["%", "%zz", "%ff", "%c0%af", "%ed%a0%80"]) {
        assertShape(await sparekey.call("PUT", pathOf(id), { headers }), 400);
      }
    });

    it("405 for another method, with the methods that there are", async () => {
      const others = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"].filter(
        (other) => other !== method,
      );
      const allowed = path === "/api/v1/settings" ? "GET, HEAD, PUT" : method;
      for (const other of others.filter((one) => !allowed.includes(one))) {
        const answer = await exchange(sparekey, requestText(other, path));
        if (other === "HEAD") assert.equal(answer.status, 405);
        else assertShape(answer, 405);
        assert.equal(answer.headers.get("allow"), allowed, other);
      }
    });

    it("413 for a body over 64 KiB, whether or not its length is announced", async () => {
      const body = JSON.stringify({ padding: "x".repeat(64 * 1_024) });
      assertShape(await call(body), 413);
      const lines = Object.entries(headers).map(([key, value]) => `${key}: ${value}`);
      const chunk = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
      const chunked = requestText(method, path, {
        headers: [...lines, "content-type: application/json", "transfer-encoding: chunked"],
      });
      assertShape(await exchange(sparekey, chunked + chunk), 413);
    });

    it("415 for a body that is not JSON, or does not say so", async () => {
      const types = [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/xml",
        "text/json",
        "application/jsonx",
      ];
      for (const type of [...types, "multipart/form-data; boundary=x", "application/json+xml", "json", "nonsense"]) {
        assertShape(await call('{"a":1}', { "content-type": type }), 415);
      }
      const lines = Object.entries(headers).map(([key, value]) => `${key}: ${value}`);
      assertShape(await exchange(sparekey, requestText(method, path, { headers: lines, body: '{"a":1}' })), 415);
    });
  });
}
