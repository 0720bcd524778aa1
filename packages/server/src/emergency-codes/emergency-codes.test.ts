import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { startInstallation, type TestInstallation } from "../testing/installation.ts";

describe("the main job", () => {
  let sparekey: TestInstallation;
  before(async () => {
    sparekey = await startInstallation();
  });
  after(() => sparekey.close());

  it("a locked-out user signs in with the code that the vendor's call returned", async () => {
    const user = await sparekey.createUser("jane.doe");
    const path = `/AdminInterface/restapi/v1/users/${user.id}/emergencyTokencode`;
    const { status, body } = await sparekey.admin("PUT", path, { expirationDays: "7" });
    assert.equal(status, 200);
    assert.deepEqual(Object.keys(body).sort(), [
      "emergencyTokencode",
      "emergencyTokencodeId",
      "expirationDate",
      "offlineExpirationDate",
    ]);
    assert.equal(await sparekey.verify("jane.doe", body.emergencyTokencode), true);
    assert.equal(await sparekey.verify("jane.doe", "00000000000"), false);
  });
});
