import assert from "node:assert/strict";
import { it } from "node:test";
import { startCore } from "../testing/core.ts";

it("settings that a unit of work saw and that were never committed hold nowhere, though others take their number", async () => {
  const core = await startCore();
  const { version, settings } = await core.settings.current();
  const withTries = (tries: number) => {
    const value = JSON.stringify({ ...settings, lockout: { ...settings.lockout, tries } });
    return { version: version + 1, value };
  };
  const unit = core.db.write(async (trx) => {
    await trx.updateTable("settings").set(withTries(100)).execute();
    assert.equal((await core.settings.currentIn(trx)).settings.lockout.tries, 100);
    throw new Error("the unit fails");
  });
  await assert.rejects(unit, /the unit fails/);

  // As another node writes them.
  await core.db.write((trx) => trx.updateTable("settings").set(withTries(7)).execute());
  const current = await core.settings.current();
  assert.deepEqual([current.version, current.settings.lockout.tries], [version + 1, 7]);
  await core.close();
});
