import assert from "node:assert/strict";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { sql } from "kysely";
import { createServices } from "../app.ts";
import { findCompany } from "../installation/service.ts";
import { parseRootKey, type RootKey } from "../keyring/service.ts";
import { addMs, type Instant } from "../platform/clock.ts";
import type { Database } from "../platform/database/database.ts";
import { migrateToLatest, pendingMigrations } from "../platform/database/migrate.ts";
import { openSqlite } from "../platform/database/sqlite.ts";
import { systemRandom } from "../platform/random.ts";
import type { Call } from "../principal.ts";
import { createTestClock } from "../testing/clock.ts";
import { openKeyring } from "../testing/data-directory.ts";
import { fixtureDatabase, fixtureNames, readFixture } from "../testing/release-fixture.ts";
import { rotationOf } from "../testing/rotation.ts";
import { migrations } from "./migrations.ts";
import type { Tables } from "./tables.ts";

const wrong = "00000000000";

it("a database of the first release is kept, and none whose migration is gone", () => {
  assert.equal(fixtureNames()[0], "0001-first-release");
  for (const name of fixtureNames()) assert.ok(name in migrations, name);
});

for (const name of fixtureNames()) {
  describe(`the database of ${name}, upgraded`, () => {
    const fixture = readFixture(name);
    const directory = mkdtempSync(join(tmpdir(), "sparekey-upgrade-"));
    const clock = createTestClock(addMs(fixture.madeAt as Instant, 60_000));
    const call: Call = { principal: { kind: "anonymous", id: null }, requestId: null, address: null };
    let db: Database<Tables>;
    let services: ReturnType<typeof createServices>;

    before(async () => {
      const path = join(directory, "sparekey.db");
      copyFileSync(fixtureDatabase(name), path);
      db = openSqlite<Tables>(path);
      assert.deepEqual((await pendingMigrations(db.read, migrations)).unknown, []);
      await db.migrate((connection) => migrateToLatest(connection, migrations));
      const company = (await findCompany(db.read)) ?? assert.fail();
      const rootKey = parseRootKey(fixture.rootKey) as RootKey;
      await rotationOf({ db, company, clock }).addMissingKeys(rootKey);
      const node = await openKeyring({ db, company, rootKey, clock });
      services = createServices({ db, company, ...node, clock, random: systemRandom });
    });
    after(async () => {
      await db.close();
      rmSync(directory, { recursive: true, force: true });
    });

    const verify = async (user: string, code: string) => (await services.codes.verify(call, { user, code })).accepted;
    const access = async (username: string) => {
      const { id } = (await services.users.findByLoginName(username)) ?? assert.fail();
      return services.codes.access(id);
    };

    it("is whole, and needs no further migration", async () => {
      assert.deepEqual(await pendingMigrations(db.read, migrations), { pending: [], unknown: [] });
      await db.migrate(async (connection) => {
        const { rows } = await sql<{ integrity_check: string }>`PRAGMA integrity_check`.execute(connection);
        assert.equal(rows[0]?.integrity_check, "ok");
        assert.deepEqual((await sql`PRAGMA foreign_key_check`.execute(connection)).rows, []);
      });
    });

    it("lets an attempt that was begun before the upgrade be finished after it", async () => {
      const { authnAttemptId, messageId: inResponseTo, authnKeyId: id } = fixture.openAttempt;
      const client = { ...call, principal: { kind: "authentication_client", id } } as const;
      const collectedInputs = [{ name: "EMERGENCY_TOKENCODE", value: fixture.codes.reusable }];
      const answer = await services.authentication.verify(client, {
        context: { authnAttemptId, inResponseTo, messageId: "m" },
        subjectCredentials: [{ methodId: "EMERGENCY_TOKENCODE", collectedInputs }],
      });
      assert.equal(answer.attemptResponseCode, "SUCCESS");
    });

    it("still verifies its codes, with failures, locks and ends as they were", async () => {
      const { codes } = fixture;
      assert.equal((await access("one.time")).failures, 3);
      assert.equal((await access("locked")).locked, true);
      assert.equal(await verify("reusable", wrong), false);
      assert.equal(await verify("reusable@example.com", codes.reusable), true);
      assert.equal(await verify("numeric", codes.numeric), true);
      assert.equal(await verify("used", codes.used), true);
      assert.equal(await verify("one.time", codes["one.time"]), true);
      for (const user of ["one.time", "locked", "disabled", "revoked"] as const) {
        assert.equal(await verify(user, codes[user]), false, user);
      }
      clock.advance(30 * 60_000);
      assert.equal(await verify("locked", codes.locked), true);
      clock.advance(7 * 24 * 60 * 60_000);
      assert.equal(await verify("reusable", codes.reusable), false);
    });

    it("still has its settings, and its record in order", async () => {
      const { settings } = await services.settings.current();
      assert.deepEqual([settings.protectedGroups, settings.onlineEmergencyCode.expiryValue], [["Directors"], 7]);
      const { events } = await services.audit.find({ limit: 1_000 });
      assert.equal(events[0]?.action, "installation.initialized");
      assert.ok(events.some(({ action, reason }) => action === "emergency_code.verified" && reason === "unknown_user"));
    });
  });
}
