import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import type { User } from "@sparekey/contract";
import { type Answer, startInstallation, type TestInstallation } from "../testing/installation.ts";
import { changesNothing } from "../testing/state.ts";

const v1Properties = ["emergencyTokencode", "emergencyTokencodeId", "expirationDate", "offlineExpirationDate"];
const v2Properties = [...v1Properties, "configurationsLocked", "configurationsUsed", "oneTimeUse"].sort();
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const nobody = "00000000-0000-4000-8000-000000000000";
const minuteMs = 60_000;

describe("enable and disable an emergency tokencode", () => {
  let sparekey: TestInstallation;
  let user: User;
  let users = 0;
  before(async () => {
    sparekey = await startInstallation();
  });
  after(() => sparekey.close());
  beforeEach(async () => {
    users += 1;
    user = await sparekey.createUser(`user${users}.test`);
  });

  const pathOf = (version: "v1" | "v2", userId = user.id) =>
    `/AdminInterface/restapi/${version}/users/${userId}/emergencyTokencode`;
  const enable = (version: "v1" | "v2", body: unknown) => sparekey.admin("PUT", pathOf(version), body);
  const inMinutes = (minutes: number) => new Date(Date.parse(sparekey.clock.now()) + minutes * minuteMs).toISOString();

  async function configure(
    change: Partial<{ expiryUnit: "hours"; expiryValue: number; oneTimeUse: boolean; locked: boolean }>,
  ) {
    await sparekey.changeSettings(({ onlineEmergencyCode }) => {
      Object.assign(
        onlineEmergencyCode,
        { expiryUnit: "days", expiryValue: 1, oneTimeUse: false, locked: false },
        change,
      );
    });
  }

  function assertBadRequest({ status, body }: Answer, description: string | RegExp) {
    assert.equal(status, 400);
    assert.deepEqual(Object.keys(body), ["code", "description"]);
    assert.equal(body.code, "400 BAD_REQUEST");
    assert.match(body.description, new RegExp(description));
  }

  it("200 for version 1 with 1 to 7 days, as a number and as a string", async () => {
    for (const days of [1, 2, 3, 4, 5, 6, 7]) {
      for (const expirationDays of [days, String(days)]) {
        const { status, headers, body } = await enable("v1", { expirationDays });
        assert.equal(status, 200);
        assert.match(headers.get("content-type") ?? "", /^application\/json/);
        assert.deepEqual(Object.keys(body).sort(), v1Properties);
        assert.match(body.emergencyTokencodeId, uuid);
        assert.equal(body.expirationDate, inMinutes(days * 24 * 60));
        assert.equal(body.offlineExpirationDate, null);
      }
    }
  });

  it("200 for version 1 with the company's single use", async () => {
    await configure({ oneTimeUse: true });
    const { body } = await enable("v1", { expirationDays: "1" });
    assert.equal(await sparekey.verify(user.username, body.emergencyTokencode), true);
    assert.equal(await sparekey.verify(user.username, body.emergencyTokencode), false);
    await configure({ oneTimeUse: false });
    const { body: reusable } = await enable("v1", { expirationDays: "1" });
    assert.equal(await sparekey.verify(user.username, reusable.emergencyTokencode), true);
    assert.equal(await sparekey.verify(user.username, reusable.emergencyTokencode), true);
  });

  it("200 for version 2 with an empty object: the company's configuration, in exactly these properties", async () => {
    await configure({ expiryUnit: "hours", expiryValue: 5, oneTimeUse: true });
    const { status, body } = await enable("v2", {});
    assert.equal(status, 200);
    assert.deepEqual(Object.keys(body).sort(), v2Properties);
    assert.equal(body.expirationDate, inMinutes(5 * 60));
    assert.deepEqual(body.configurationsUsed, { expiryValue: 5, expiryUnit: "hours", oneTimeUse: true });
    assert.equal(body.oneTimeUse, true);
    assert.equal(body.configurationsLocked, false);
    await configure({});
  });

  it("200 for version 2 with what the request asks for, from a minute to 7 days", async () => {
    const lifetimes = [
      ["minutes", 1, 1],
      ["minutes", 10_080, 10_080],
      ["minutes", "90", 90],
      ["hours", 168, 10_080],
      ["hours", "1", 60],
      ["days", 7, 10_080],
      ["days", "2", 2_880],
    ] as const;
    for (const [expiryUnit, expiryValue, minutes] of lifetimes) {
      for (const oneTimeUse of [true, false]) {
        const { status, body } = await enable("v2", { expiryUnit, expiryValue, oneTimeUse });
        assert.equal(status, 200);
        assert.deepEqual(Object.keys(body).sort(), v2Properties);
        assert.equal(body.expirationDate, inMinutes(minutes));
        assert.deepEqual(body.configurationsUsed, { expiryValue: Number(expiryValue), expiryUnit, oneTimeUse });
        assert.equal(body.oneTimeUse, oneTimeUse);
      }
    }
  });

  it("200 for version 2 with single use alone: the rest is the company's", async () => {
    const { body } = await enable("v2", { oneTimeUse: true });
    assert.deepEqual(body.configurationsUsed, { expiryValue: 1, expiryUnit: "days", oneTimeUse: true });
    assert.equal(await sparekey.verify(user.username, body.emergencyTokencode), true);
    assert.equal(await sparekey.verify(user.username, body.emergencyTokencode), false);
  });

  it("200 under the company's lock, which overrides what is asked for and says so only in version 2", async () => {
    await configure({ expiryUnit: "hours", expiryValue: 2, oneTimeUse: true, locked: true });
    const v1 = await enable("v1", { expirationDays: "7" });
    assert.equal(v1.status, 200);
    assert.deepEqual(Object.keys(v1.body).sort(), v1Properties);
    assert.equal(v1.body.expirationDate, inMinutes(120));
    for (const asked of [{}, { expiryUnit: "days", expiryValue: 7, oneTimeUse: false }]) {
      const { status, body } = await enable("v2", asked);
      assert.equal(status, 200);
      assert.equal(body.expirationDate, inMinutes(120));
      assert.deepEqual(body.configurationsUsed, { expiryValue: 2, expiryUnit: "hours", oneTimeUse: true });
      assert.deepEqual([body.oneTimeUse, body.configurationsLocked], [true, true]);
      assert.equal(await sparekey.verify(user.username, body.emergencyTokencode), true);
      assert.equal(await sparekey.verify(user.username, body.emergencyTokencode), false);
    }
    // A mistake does not become right by being overridden.
    assertBadRequest(await enable("v1", { expirationDays: 8 }), "^Invalid expiration date.$");
    assertBadRequest(await enable("v2", { expiryUnit: "days", expiryValue: 8 }), "7 days");
    assertBadRequest(await enable("v2", { expiryUnit: "days" }), "");
    await configure({});
  });

  it("200 replaces the code before at once", async () => {
    const first = (await enable("v1", { expirationDays: 7 })).body;
    const second = (await enable("v2", {})).body;
    assert.notEqual(first.emergencyTokencodeId, second.emergencyTokencodeId);
    assert.equal(await sparekey.verify(user.username, first.emergencyTokencode), false);
    assert.equal(await sparekey.verify(user.username, second.emergencyTokencode), true);
  });

  it("400 for an expiration date of version 1 that is none", async () => {
    const values = [
      0,
      8,
      -1,
      1.5,
      7e9,
      "0",
      "8",
      "7 ",
      " 7",
      "07",
      "+7",
      "1.0",
      "1e0",
      "٣",
      "７",
      "",
      "seven",
      null,
      true,
    ];
    for (const expirationDays of [...values, [], [7], ["7"], {}, { value: 7 }]) {
      const answer = await changesNothing(sparekey, () => enable("v1", { expirationDays }));
      assertBadRequest(answer, "^Invalid expiration date.$");
    }
  });

  it("400 for a body of version 1 with more or fewer properties, or none", async () => {
    for (const body of [{}, { days: 7 }, { expirationDays: 7, oneTimeUse: true }, { ExpirationDays: 7 }, undefined]) {
      const answer = await changesNothing(sparekey, () => enable("v1", body));
      assertBadRequest(answer, "^Wrong number of properties in the request body.$");
    }
    for (const body of ["[]", '"7"', "7", "null", "[7]"]) {
      assertBadRequest(await changesNothing(sparekey, () => enable("v1", body)), "");
    }
  });

  it("400 for a lifetime of version 2 that is none, or half of one", async () => {
    const lifetimes = [
      { expiryUnit: "days" },
      { expiryValue: 7 },
      ...[0, 8, -1, 1.5, "0", "8", "1.5", "-1", "", "x", null, true, [1], {}].map((expiryValue) => ({
        expiryUnit: "days",
        expiryValue,
      })),
      { expiryUnit: "hours", expiryValue: 169 },
      { expiryUnit: "minutes", expiryValue: 10_081 },
      { expiryUnit: "minutes", expiryValue: "0" },
      { expiryUnit: "minutes", expiryValue: "99999" },
      ...["weeks", "Days", "DAYS", "day", "", null, 1, ["days"]].map((expiryUnit) => ({ expiryUnit, expiryValue: 1 })),
    ];
    for (const body of lifetimes) assertBadRequest(await changesNothing(sparekey, () => enable("v2", body)), "");
  });

  it("400 for single use of version 2 that is no boolean, and for a property that it does not have", async () => {
    const bodies = [
      ...["true", 1, 0, null, [], {}].map((oneTimeUse) => ({ oneTimeUse })),
      { locked: false },
      { expirationDays: 7 },
    ];
    for (const body of bodies) assertBadRequest(await changesNothing(sparekey, () => enable("v2", body)), "");
  });

  it("400 for a disabled user, in both versions", async () => {
    await sparekey.admin("PUT", `/AdminInterface/restapi/v1/users/${user.id}/userStatus`, { userStatus: "Disabled" });
    for (const answer of [
      await changesNothing(sparekey, () => enable("v1", { expirationDays: 7 })),
      await changesNothing(sparekey, () => enable("v2", {})),
    ]) {
      assertBadRequest(answer, `^User ${user.id} is disabled$`);
    }
  });

  it("404 for an unknown user leaves no trace", async () => {
    const calls = [
      ["PUT", pathOf("v1", nobody), { expirationDays: 7 }],
      ["PUT", pathOf("v2", nobody), {}],
      ["DELETE", `${pathOf("v1", nobody)}/${nobody}`, undefined],
      ["DELETE", `${pathOf("v1", nobody)}s`, undefined],
    ] as const;
    for (const [method, path, body] of calls) {
      const answer = await changesNothing(sparekey, () => sparekey.admin(method, path, body));
      assert.equal(answer.status, 404);
      assert.deepEqual(answer.body, { code: "404 NOT_FOUND", description: `User ${nobody} not found` });
    }
  });

  it("200 with an empty body for both ways to disable, and the code is at its end", async () => {
    for (const way of ["by id", "all"] as const) {
      const { body } = await enable("v1", { expirationDays: 7 });
      const path = way === "by id" ? `${pathOf("v1")}/${body.emergencyTokencodeId}` : `${pathOf("v1")}s`;
      assert.equal(await sparekey.verify(user.username, body.emergencyTokencode), true);
      const answer = await sparekey.admin("DELETE", path);
      assert.deepEqual([answer.status, answer.body, answer.headers.get("content-length")], [200, "", "0"]);
      assert.equal(await sparekey.verify(user.username, body.emergencyTokencode), false);
      const again = await changesNothing(sparekey, () => sparekey.admin("DELETE", path));
      assert.deepEqual([again.status, again.body], [200, ""]);
    }
  });

  it("200 for disabling an id that is unknown or gone: every code of the user ends", async () => {
    const first = (await enable("v1", { expirationDays: 7 })).body;
    for (const id of [nobody, first.emergencyTokencodeId, "not-a-uuid"]) {
      const { body } = await enable("v1", { expirationDays: 7 });
      assert.equal((await sparekey.admin("DELETE", `${pathOf("v1")}/${id}`)).status, 200);
      assert.equal(await sparekey.verify(user.username, body.emergencyTokencode), false);
    }
  });
});
