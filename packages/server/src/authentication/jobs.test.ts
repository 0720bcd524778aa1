import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { addMs } from "../platform/clock.ts";
import { startInstallation, type TestInstallation } from "../testing/installation.ts";
import { startStatementLog } from "../testing/statements.ts";

describe("the removal of attempts that ended by themselves", () => {
  const log = startStatementLog();
  let sparekey: TestInstallation;
  before(async () => {
    sparekey = await startInstallation();
  });
  after(async () => {
    log.stop();
    await sparekey.close();
  });

  /** Inserts copies of an attempt, all with the same end. */
  async function insertAttempts(count: number, prefix: string, endsInMs: number) {
    const context = { messageId: "m" };
    const { body } = await sparekey.client("POST", "/mfa/v1_1/authn/initialize", { subjectName: "jane", context });
    await sparekey.db.write(async (trx) => {
      const id = body.context.authnAttemptId;
      const row = await trx.selectFrom("authn_attempts").selectAll().where("id", "=", id).executeTakeFirstOrThrow();
      await trx.deleteFrom("authn_attempts").where("id", "=", id).execute();
      const expires_at = addMs(sparekey.clock.now(), endsInMs);
      for (let i = 0; i < count; i++) {
        await trx
          .insertInto("authn_attempts")
          .values({ ...row, id: `${prefix} ${i}`, expires_at })
          .execute();
      }
    });
  }
  const remaining = async () =>
    (await sparekey.db.read.selectFrom("authn_attempts").select("id").execute()).map(({ id }) => id);

  it("takes them a thousand at a time, all of them, and none that is still open", async () => {
    await insertAttempts(2_500, "ended", 0);
    await insertAttempts(3, "open", 1);
    log.take();
    for (const job of sparekey.jobs) await job.run();
    assert.deepEqual(await remaining(), ["open 0", "open 1", "open 2"]);
    assert.equal(log.take().filter((text) => text.startsWith('delete from "authn_attempts"')).length, 3);
  });
});
