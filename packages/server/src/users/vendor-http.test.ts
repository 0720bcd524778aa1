import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { User } from "@sparekey/contract";
import { type Answer, startInstallation, type TestInstallation } from "../testing/installation.ts";
import { changesNothing } from "../testing/state.ts";

const nobody = "00000000-0000-4000-8000-000000000000";
const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

describe("the vendor's user calls", () => {
  let sparekey: TestInstallation;
  let jane: User;
  before(async () => {
    sparekey = await startInstallation();
    jane = await sparekey.createUser("Jane.Doe", { alternateUsername: "jdoe", groups: ["Staff", "Sales"] });
    await sparekey.createUser("john.roe");
  });
  after(() => sparekey.close());

  const lookup = (body: unknown) => sparekey.admin("POST", "/AdminInterface/restapi/v1/users/lookup", body);
  const pathOf = (call: "userStatus" | "methods", userId = jane.id) =>
    `/AdminInterface/restapi/v1/users/${userId}/${call}`;
  const setStatus = (body: unknown, userId = jane.id) => sparekey.admin("PUT", pathOf("userStatus", userId), body);
  const unlock = (body: unknown, userId = jane.id) => sparekey.admin("PATCH", pathOf("methods", userId), body);

  function assertBadRequest({ status, body }: Answer, description: RegExp) {
    assert.equal(status, 400);
    assert.deepEqual(Object.keys(body), ["code", "description"]);
    assert.equal(body.code, "400 BAD_REQUEST");
    assert.match(body.description, description);
  }

  const assertNotFound = ({ status, body }: Answer, name: string) => {
    assert.equal(status, 404);
    assert.deepEqual(body, { code: "404 NOT_FOUND", description: `User ${name} not found` });
  };

  describe("lookup", () => {
    it("200 with exactly the properties of User Details, before there is a code", async () => {
      const { status, body } = await lookup({ username: "Jane.Doe" });
      assert.equal(status, 200);
      assert.match(body.creationDate, instant);
      assert.deepEqual(body, {
        ...{ id: jane.id, emailAddress: "Jane.Doe@example.com", firstName: "Jane", lastName: "Doe" },
        ...{ creationDate: sparekey.clock.now(), lastSyncTime: sparekey.clock.now(), identitySource: "Sparekey" },
        ...{ userStatus: "Enabled", highRiskUser: false, markDeleted: false, markDeletedAt: null, markDeletedBy: null },
        ...{ smsNumber: null, voiceNumber: null, isTokenLocked: false, isSmsLocked: false, isVoiceLocked: false },
        ...{ isFingerprintLocked: false, isApproveLocked: false, emergencyAccessStatus: "Disabled" },
        ...{ emergencyTokencodeId: null, emergencyTokencodeExpiration: null, emergencyTokencodeLastUse: null },
        ...{ emergencyTokencodeOneTimeUse: false, offlineEmergencyAccessStatus: "Disabled" },
        ...{ offlineEmergencyTokencodeExpiration: null, monthLastAuthenticated: null },
        ...{ lastSuccessfulAuthenticationMethod: null, lastSuccessfulAuthenticationDate: null },
        ...{ principalUsername: "Jane.Doe", alternateUsername: "jdoe", primaryUniqueIdentifier: jane.id },
        ...{
          secondaryUniqueIdentifier: "Jane.Doe",
          identitySourceSpecificGroups: ["Staff", "Sales"],
          globalGroups: [],
        },
      });
    });

    it("200 for every spelling of username, alternate username and email", async () => {
      const names = ["jane.doe", "JANE.DOE", " Jane.Doe ", "ｊane.doe", "JDOE", "jdoe", "Ｊdoe"];
      for (const username of names) assert.equal((await lookup({ username })).body.id, jane.id, username);
      for (const email of ["jane.doe@example.com", "JANE.DOE@EXAMPLE.COM", "jane.doe＠example.com"]) {
        assert.equal((await lookup({ email })).body.id, jane.id, email);
        assert.equal((await lookup({ email, searchUnsynched: true })).body.id, jane.id, email);
      }
      assert.equal((await lookup({ username: "jdoe", searchUnsynched: false })).status, 200);
    });

    it("200 tells of an active code, of its use and of its end", async () => {
      const { id } = await sparekey.createUser("walter.white");
      const details = async () => (await lookup({ username: "walter.white" })).body;
      const path = `/AdminInterface/restapi/v2/users/${id}/emergencyTokencode`;
      const { body: issued } = await sparekey.admin("PUT", path, {
        oneTimeUse: true,
        expiryUnit: "hours",
        expiryValue: 1,
      });
      const active = await details();
      assert.equal(active.emergencyAccessStatus, "Enabled");
      assert.equal(active.emergencyTokencodeId, issued.emergencyTokencodeId);
      assert.equal(active.emergencyTokencodeExpiration, issued.expirationDate);
      assert.equal(active.emergencyTokencodeOneTimeUse, true);
      assert.equal(active.emergencyTokencodeLastUse, null);
      assert.ok(!JSON.stringify(active).includes(issued.emergencyTokencode));

      assert.equal(await sparekey.verify("walter.white", issued.emergencyTokencode), true);
      const used = await details();
      assert.equal(used.emergencyAccessStatus, "Disabled");
      assert.deepEqual([used.emergencyTokencodeId, used.emergencyTokencodeExpiration], [null, null]);
      assert.equal(used.emergencyTokencodeOneTimeUse, false);
      assert.equal(used.emergencyTokencodeLastUse, sparekey.clock.now());
      assert.equal(used.monthLastAuthenticated, "Jan 2026");
      assert.equal(used.lastSuccessfulAuthenticationMethod, "Emergency Tokencode");
      assert.equal(used.lastSuccessfulAuthenticationDate, sparekey.clock.now());
    });

    it("200 says Disabled once the code is expired", async () => {
      const { id } = await sparekey.createUser("jesse.pinkman");
      await sparekey.issue(id, { lifetime: { value: 1, unit: "minutes" } });
      const status = async () => (await lookup({ username: "jesse.pinkman" })).body.emergencyAccessStatus;
      sparekey.clock.advance(59_999);
      assert.equal(await status(), "Enabled");
      sparekey.clock.advance(1);
      assert.equal(await status(), "Disabled");
    });

    it("400 for both names, for none, and for what is no name", async () => {
      const both = { email: "jane.doe@example.com", username: "jane.doe" };
      for (const body of [both, {}, { searchUnsynched: true }, { name: "jane.doe" }]) {
        assertBadRequest(await changesNothing(sparekey, () => lookup(body)), /./);
      }
      for (const body of [{}, { username: "jane.doe", id: jane.id }]) {
        assertBadRequest(await lookup(body), /^Wrong number of properties in the request body\.$/);
      }
      for (const name of ["", null, 1, true, ["jane.doe"], { $ne: "" }, "x".repeat(321)]) {
        assertBadRequest(await lookup({ username: name }), /./);
        assertBadRequest(await lookup({ email: name }), /./);
      }
      assertBadRequest(await lookup({ username: "jane.doe", searchUnsynched: "true" }), /./);
    });

    it("404 names what was looked up", async () => {
      assertNotFound(await lookup({ email: "john.doe@example.com" }), "john.doe@example.com");
      assertNotFound(await lookup({ username: "nobody" }), "nobody");
      for (const name of ["%", "_", "*", "jane%", "' OR '1'='1", "jane.doe\u0000", "jane.doe@example.com.evil"]) {
        assertNotFound(await changesNothing(sparekey, () => lookup({ username: name })), name);
      }
    });
  });

  describe("user status", () => {
    it("200 answers id and status, also when nothing changes", async () => {
      for (const userStatus of ["Disabled", "Disabled", "Enabled", "Enabled"]) {
        const { status, body } = await setStatus({ userStatus });
        assert.deepEqual([status, body], [200, { id: jane.id, userStatus }]);
        assert.equal((await lookup({ username: "jane.doe" })).body.userStatus, userStatus);
      }
      const recorded = (await sparekey.recorded()).filter((action) => /^user\.(en|dis)abled$/.test(action));
      assert.deepEqual(recorded, ["user.disabled", "user.enabled"]);
    });

    it("200: a code stops working with the user, and works again with the user", async () => {
      const code = await sparekey.issue(jane.id);
      assert.equal(await sparekey.verify("jane.doe", code), true);
      await setStatus({ userStatus: "Disabled" });
      assert.equal(await sparekey.verify("jane.doe", code), false);
      await setStatus({ userStatus: "Enabled" });
      assert.equal(await sparekey.verify("jane.doe", code), true);
    });

    it("400 for a wrong number of properties, in the vendor's words", async () => {
      for (const body of [{}, { userStatus: "Enabled", reason: "x" }, { status: "Enabled" }]) {
        const answer = await changesNothing(sparekey, () => setStatus(body));
        assertBadRequest(answer, /^Wrong number of properties in the request body\.$/);
      }
    });

    it("400 for a status that is none", async () => {
      for (const userStatus of ["enabled", "ENABLED", "Enabled ", "", "Locked", null, true, 1, ["Enabled"], {}]) {
        assertBadRequest(await changesNothing(sparekey, () => setStatus({ userStatus })), /./);
      }
    });

    it("404 for an unknown user leaves no trace", async () => {
      assertNotFound(await changesNothing(sparekey, () => setStatus({ userStatus: "Disabled" }, nobody)), nobody);
    });
  });

  describe("unlock", () => {
    it("200 with an empty body, and a user who was locked signs in again", async () => {
      const { id } = await sparekey.createUser("saul.goodman");
      const code = await sparekey.issue(id);
      for (let wrong = 0; wrong < 10; wrong += 1) await sparekey.verify("saul.goodman", "00000000000");
      assert.equal(await sparekey.verify("saul.goodman", code), false);
      // The control: another method's unlock does not help.
      assert.equal(
        (await unlock({ unlockMethods: ["TOKEN", "SMS", "VOICE", "FINGERPRINT", "APPROVE"] }, id)).status,
        200,
      );
      assert.equal(await sparekey.verify("saul.goodman", code), false);
      const answer = await unlock({ unlockMethods: ["TOKEN", "EMERGENCY_TOKENCODE"] }, id);
      assert.deepEqual([answer.status, answer.body, answer.headers.get("content-length")], [200, "", "0"]);
      assert.equal(await sparekey.verify("saul.goodman", code), true);
    });

    it("400 for methods that are none", async () => {
      const lists = [
        [],
        ["token"],
        ["EMERGENCY"],
        ["TOKEN", "TOKEN"],
        [null],
        [["TOKEN"]],
        "TOKEN",
        null,
        { 0: "TOKEN" },
      ];
      for (const unlockMethods of lists) {
        assertBadRequest(await changesNothing(sparekey, () => unlock({ unlockMethods })), /./);
      }
      for (const body of [{}, { methods: ["TOKEN"] }, { unlockMethods: ["TOKEN"], force: true }]) {
        assertBadRequest(await unlock(body), /^Wrong number of properties in the request body\.$/);
      }
    });

    it("404 for an unknown user, whichever method", async () => {
      for (const method of ["TOKEN", "EMERGENCY_TOKENCODE"]) {
        const answer = await changesNothing(sparekey, () => unlock({ unlockMethods: [method] }, nobody));
        assertNotFound(answer, nobody);
      }
    });
  });
});
