import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { KeyFile, User } from "@sparekey/contract";
import { commandCall } from "../principal.ts";
import { startInstallation, type TestInstallation } from "../testing/installation.ts";
import { keysOf } from "../testing/keys.ts";
import { changesNothing } from "../testing/state.ts";

/** Everything that manages a user's emergency access: what it is called, and the call. */
const calls: [string, (id: string) => { method: string; path: string; body?: unknown }][] = [
  ["issue", (id) => ({ method: "POST", path: `/api/v1/users/${id}/emergency-code`, body: {} })],
  [
    "issue by the vendor's v1",
    (id) => ({
      method: "PUT",
      path: `/AdminInterface/restapi/v1/users/${id}/emergencyTokencode`,
      body: { expirationDays: 1 },
    }),
  ],
  [
    "issue by the vendor's v2",
    (id) => ({ method: "PUT", path: `/AdminInterface/restapi/v2/users/${id}/emergencyTokencode`, body: {} }),
  ],
  ["revoke", (id) => ({ method: "DELETE", path: `/api/v1/users/${id}/emergency-code` })],
  [
    "revoke by id",
    (id) => ({ method: "DELETE", path: `/AdminInterface/restapi/v1/users/${id}/emergencyTokencode/some-id` }),
  ],
  [
    "revoke by the older path",
    (id) => ({ method: "DELETE", path: `/AdminInterface/restapi/v1/users/${id}/emergencyTokencodes` }),
  ],
  [
    "unlock",
    (id) => ({
      method: "PATCH",
      path: `/AdminInterface/restapi/v1/users/${id}/methods`,
      body: { unlockMethods: ["EMERGENCY_TOKENCODE"] },
    }),
  ],
  [
    "disable",
    (id) => ({
      method: "PUT",
      path: `/AdminInterface/restapi/v1/users/${id}/userStatus`,
      body: { userStatus: "Disabled" },
    }),
  ],
  [
    "enable",
    (id) => ({
      method: "PUT",
      path: `/AdminInterface/restapi/v1/users/${id}/userStatus`,
      body: { userStatus: "Enabled" },
    }),
  ],
];

describe("the user of a protected group", () => {
  let sparekey: TestInstallation;
  let helpDesk: KeyFile;
  let director: User;
  let clerk: User;

  before(async () => {
    sparekey = await startInstallation();
    const role = "Help Desk Administrator";
    helpDesk = await keysOf(sparekey).apiKeys.create(commandCall, { role, description: "help desk" });
    await sparekey.changeSettings((settings) => {
      settings.protectedGroups = ["Directors", "Domain Admins"];
    });
    director = await sparekey.createUser("dora.director", { groups: ["Staff", "Directors"] });
    clerk = await sparekey.createUser("carl.clerk", { groups: ["Staff"] });
  });
  after(() => sparekey.close());

  async function callAs(keyFile: KeyFile, { method, path, body }: { method: string; path: string; body?: unknown }) {
    return sparekey.call(method, path, { body, headers: { authorization: `Bearer ${await sparekey.token(keyFile)}` } });
  }
  const newest = async () => (await sparekey.admin("GET", "/api/v1/audit/events?last=1")).body;

  for (const [name, callFor] of calls) {
    it(`403 to the help desk for ${name}: nothing changes, and the record has the refusal`, async () => {
      await sparekey.createUser("dora.director", { status: "enabled" });
      await sparekey.issue(director.id);
      for (let i = 0; i < 2; i++) await sparekey.verify("dora.director", "00000000000");
      const { cursor } = await newest();
      const { status, body } = await changesNothing(sparekey, () => callAs(helpDesk, callFor(director.id)));
      assert.equal(status, 403);
      assert.ok(body.code === "protected_user" || body.message === "Access is denied", JSON.stringify(body));
      const { events, cursor: after } = await newest();
      assert.equal(after, cursor + 1);
      const { action, outcome, reason, actor, userId } = events[0];
      assert.deepEqual(
        { action, outcome, reason, actor: actor.id, userId },
        {
          ...{ action: "principal.refused", outcome: "refused", reason: "protected_user" },
          ...{ actor: helpDesk.accessID, userId: director.id },
        },
      );
    });

    it(`${name} is a Super Administrator's, and the help desk's for everyone else`, async () => {
      assert.ok((await callAs(sparekey.keyFile, callFor(director.id))).status < 300);
      assert.ok((await callAs(helpDesk, callFor(clerk.id))).status < 300);
    });
  }

  it("is protected as soon as the user joins the group, or the group is named", async () => {
    const issueTo = async (id: string) => (await callAs(helpDesk, calls[0]?.[1](id) ?? assert.fail())).status;
    assert.equal(await issueTo(clerk.id), 200);
    await sparekey.createUser("carl.clerk", { groups: ["Staff", "Domain Admins"] });
    assert.equal(await issueTo(clerk.id), 403);
    await sparekey.createUser("carl.clerk", { groups: ["Staff"] });
    assert.equal(await issueTo(clerk.id), 200);
    await sparekey.changeSettings((settings) => settings.protectedGroups.push("Staff"));
    assert.equal(await issueTo(clerk.id), 403);
  });
});
