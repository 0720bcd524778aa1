/**
 * The database of a released version, kept so that later versions can prove that they still read it.
 *
 * Made once for each release, by the code of that release; see schema/fixtures/README.md:
 * `node packages/server/src/testing/release-fixture.ts NAME`
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { sql } from "kysely";
import { instantFromMs } from "../platform/clock.ts";
import { createTestClock } from "./clock.ts";
import { startCore } from "./core.ts";

/** What a test must know of a fixture's database: throwaway keys, and codes that nobody was ever given. */
export interface ReleaseFixture {
  warning: string;
  /** Base64. */
  rootKey: string;
  madeAt: string;
  /** Codes by username, and what each is there for. */
  codes: Record<"reusable" | "one.time" | "used" | "numeric" | "locked" | "disabled" | "revoked", string>;
  openAttempt: { authnAttemptId: string; messageId: string; authnKeyId: string };
}

const folder = new URL("../schema/fixtures/", import.meta.url);

/** Oldest first. */
export function fixtureNames(): string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(".sqlite"))
    .map((file) => file.slice(0, -".sqlite".length))
    .sort();
}

export function fixtureDatabase(name: string): string {
  return fileURLToPath(new URL(`${name}.sqlite`, folder));
}

export function readFixture(name: string): ReleaseFixture {
  return JSON.parse(readFileSync(new URL(`${name}.json`, folder), "utf8"));
}

async function makeFixture(name: string) {
  const clock = createTestClock(instantFromMs(Date.UTC(2026, 0, 1, 12)));
  const core = await startCore("vendor", clock);
  const users = ["reusable", "one.time", "used", "numeric", "locked", "disabled", "revoked"] as const;
  const codes = {} as ReleaseFixture["codes"];
  await core.changeSettings((settings) => {
    Object.assign(settings.onlineEmergencyCode, { expiryValue: 7 });
    settings.protectedGroups = ["Directors"];
  });
  for (const username of users) {
    await core.changeSettings((settings) => {
      settings.codeFormat =
        username === "numeric" ? { alphabet: "digits", length: 8 } : { alphabet: "symbols", length: 10 };
    });
    const { id } = await core.createUser(username);
    codes[username] = await core.issue(id, { oneTime: username === "one.time" });
    if (username === "disabled") await core.users.setStatus(core.administrator, id, "disabled");
    if (username === "revoked") await core.codes.revoke(core.administrator, id);
  }
  for (let i = 0; i < 3; i++) await core.verify("one.time", "00000000000");
  for (let i = 0; i < 10; i++) await core.verify("locked", "00000000000");
  await core.verify("used", codes.used);
  await core.verify("nobody", codes.used);
  const begin = { subjectName: "reusable", context: { messageId: "m" }, authnAttemptTimeout: 3_600 };
  const { context } = await core.authentication.initialize(core.client, begin);

  const fixture: ReleaseFixture = {
    warning: "Throwaway: made for a test, never used by anyone. See README.md.",
    rootKey: core.rootKey.toString("base64"),
    madeAt: clock.now(),
    codes,
    openAttempt: {
      authnAttemptId: context.authnAttemptId,
      messageId: context.messageId,
      authnKeyId: core.client.principal.id,
    },
  };
  rmSync(fixtureDatabase(name), { force: true });
  await core.db.migrate((connection) => sql`VACUUM INTO ${fixtureDatabase(name)}`.execute(connection));
  writeFileSync(new URL(`${name}.json`, folder), `${JSON.stringify(fixture, null, 2)}\n`);
  await core.close();
}

if (import.meta.main) await makeFixture(process.argv[2] ?? "unnamed");
