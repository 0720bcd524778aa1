import assert from "node:assert/strict";
import { it } from "node:test";
import { startCore } from "../testing/core.ts";

it("settings that a unit of work saw and that were never committed hold nowhere afterwards", async () => {
  const core = await startCore();
  const { version, settings } = await core.settings.current();
  const abandoned = structuredClone(settings);
  abandoned.lockout.tries = 100;
  const unit = core.db.write(async (trx) => {
    await trx
      .updateTable("settings")
      .set({ version: version + 1, value: JSON.stringify(abandoned) })
      .execute();
    assert.equal((await core.settings.currentIn(trx)).settings.lockout.tries, 100);
    throw new Error("the unit fails");
  });
  await assert.rejects(unit, /the unit fails/);
  assert.deepEqual((await core.settings.current()).settings, settings);

  // The next change takes the number that the abandoned one had.
  await core.changeSettings((next) => Object.assign(next.lockout, { tries: 7 }));
  const current = await core.settings.current();
  assert.deepEqual([current.version, current.settings.lockout.tries], [version + 1, 7]);
  await core.close();
});
