import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { KeyFile } from "@sparekey/contract";
import { commandCall } from "../principal.ts";
import { assertErrorShape } from "../testing/error-shape.ts";
import { type Answer, startInstallation, type TestInstallation } from "../testing/installation.ts";
import { keysOf } from "../testing/keys.ts";
import { changesNothing } from "../testing/state.ts";

describe("a Help Desk Administrator", () => {
  let sparekey: TestInstallation;
  let helpDesk: KeyFile;
  before(async () => {
    sparekey = await startInstallation();
    const { apiKeys } = keysOf(sparekey);
    helpDesk = await apiKeys.create(commandCall, { role: "Help Desk Administrator", description: "Help desk" });
  });
  after(() => sparekey.close());

  async function ask(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const authorization = `Bearer ${await sparekey.token(helpDesk)}`;
    return sparekey.call(method, path, { ...(body !== undefined && { body }), headers: { ...headers, authorization } });
  }

  it("200 for every vendor call that this release has", async () => {
    const { id } = await sparekey.createUser("jane.doe");
    const [v1, v2] = ["v1", "v2"].map((version) => `/AdminInterface/restapi/${version}/users`);
    const calls: [string, string, unknown?][] = [
      ["POST", `${v1}/lookup`, { username: "jane.doe" }],
      ["PUT", `${v1}/${id}/emergencyTokencode`, { expirationDays: 1 }],
      ["PUT", `${v2}/${id}/emergencyTokencode`, {}],
      ["DELETE", `${v1}/${id}/emergencyTokencode/${id}`],
      ["DELETE", `${v1}/${id}/emergencyTokencodes`],
      ["PUT", `${v1}/${id}/userStatus`, { userStatus: "Disabled" }],
      ["PUT", `${v1}/${id}/userStatus`, { userStatus: "Enabled" }],
      ["PATCH", `${v1}/${id}/methods`, { unlockMethods: ["EMERGENCY_TOKENCODE"] }],
    ];
    for (const [method, path, body] of calls)
      assert.equal((await ask(method, path, body)).status, 200, `${method} ${path}`);
  });

  it("200 and 204 for what the help desk does on our own API", async () => {
    const { id } = await sparekey.createUser("john.roe");
    assert.equal((await ask("POST", `/api/v1/users/${id}/emergency-code`, {})).status, 200);
    assert.equal((await ask("GET", `/api/v1/users/${id}/emergency-access`)).status, 200);
    assert.equal((await ask("DELETE", `/api/v1/users/${id}/emergency-code`)).status, 204);
    assert.equal((await ask("GET", "/api/v1/audit/events")).status, 200);
  });

  it("403 for settings and users, as a problem, and in the record", async () => {
    const { body: settings, headers } = await sparekey.admin("GET", "/api/v1/settings");
    const ifMatch = { "if-match": headers.get("etag") ?? "" };
    const user = { username: "mallory", email: "mallory@example.com", firstName: "", lastName: "" };
    const calls: [string, string, unknown?][] = [
      ["GET", "/api/v1/settings"],
      ["PUT", "/api/v1/settings", { ...settings, attemptTries: 10 }],
      ["GET", "/api/v1/settings/lint"],
      ["POST", "/api/v1/users", user],
      ["POST", "/api/v1/users", [user]],
    ];
    for (const [method, path, body] of calls) {
      const answer = await changesNothing(sparekey, () => ask(method, path, body, ifMatch));
      assert.equal(answer.status, 403, `${method} ${path}`);
      assertErrorShape(path, answer);
      assert.equal(answer.body.code, "access_denied");
      const [event] = (await sparekey.admin("GET", "/api/v1/audit/events?last=1")).body.events;
      assert.deepEqual([event.action, event.outcome, event.reason], ["principal.refused", "refused", "access_denied"]);
      assert.deepEqual(event.actor, { kind: "administrator", id: helpDesk.accessID });
    }
    // The control: a Super Administrator may.
    assert.equal((await sparekey.admin("POST", "/api/v1/users", user)).status, 201);
  });

  it("403 for a member of a protected group, in the gate's shape on the vendor's wire and as a problem on ours", async () => {
    await sparekey.changeSettings((settings) => {
      settings.protectedGroups = ["Board"];
    });
    const { id } = await sparekey.createUser("dora.director", { groups: ["Board"] });
    const vendorPath = `/AdminInterface/restapi/v1/users/${id}/emergencyTokencode`;
    const vendor = await changesNothing(sparekey, () => ask("PUT", vendorPath, { expirationDays: 1 }));
    assertErrorShape(vendorPath, vendor);
    const { timestamp, ...gate } = vendor.body;
    assert.equal(new Date(timestamp).toISOString(), sparekey.clock.now());
    assert.deepEqual(gate, { status: 403, error: "Forbidden", message: "Access is denied", path: vendorPath });

    const ownPath = `/api/v1/users/${id}/emergency-code`;
    const own = await changesNothing(sparekey, () => ask("POST", ownPath, {}));
    assertErrorShape(ownPath, own);
    assert.deepEqual([own.status, own.body.code], [403, "protected_user"]);
  });

  it("403 with the words for a bad token when it is the token that is bad", async () => {
    const path = "/AdminInterface/restapi/v1/users/lookup";
    const { body } = await sparekey.call("POST", path, { body: {}, headers: { authorization: "Bearer x" } });
    assert.equal(body.message, "Server failed to process provided access token");
  });
});
