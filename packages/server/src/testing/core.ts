/** The services without a wire, on a real database: for tests that call them many thousand times. */
import type { Profile, Settings, User } from "@sparekey/contract";
import { createServices } from "../app.ts";
import type { Company } from "../installation/service.ts";
import type { RootKey } from "../keyring/service.ts";
import type { Database } from "../platform/database/database.ts";
import { createLog } from "../platform/log.ts";
import { systemRandom } from "../platform/random.ts";
import type { Administrator, AuthenticationClient, Call } from "../principal.ts";
import type { Tables } from "../schema/tables.ts";
import { createTestClock, type TestClock } from "./clock.ts";
import { type DataDirectory, makeDataDirectory, openDataDirectory, removeDataDirectory } from "./data-directory.ts";

type Services = ReturnType<typeof createServices>;

export interface TestCore extends Services {
  db: Database<Tables>;
  dataDir: string;
  postgres: DataDirectory["postgres"];
  rootKey: RootKey;
  clock: TestClock;
  company: Company;
  administrator: Call<Administrator>;
  client: Call<AuthenticationClient>;
  createUser(username: string): Promise<User>;
  /** Issues a code and answers it plain. */
  issue(userId: string, request?: { oneTime?: boolean }): Promise<string>;
  /** Whether the code is accepted. */
  verify(user: string, code: string): Promise<boolean>;
  changeSettings(change: (settings: Settings) => void): Promise<void>;
  /** What a restart of the process leaves: everything closed, then opened again from the files. */
  restart(): Promise<TestCore>;
  close(): Promise<void>;
}

/** Answers come at once, whatever the profile says. */
export async function startCore(profile: Profile = "vendor", clock = createTestClock()): Promise<TestCore> {
  const directory = await makeDataDirectory(profile, clock);
  const open = async (): Promise<TestCore> => {
    const { db, company, revision, keyring } = await openDataDirectory(directory, clock);
    const _log = createLog("silent");
    const services = createServices({ db, company, revision, keyring, clock, random: systemRandom });
    const administrator = callBy<Administrator>({ kind: "administrator", id: "test-key", role: "Super Administrator" });
    const { id } = await db.read.selectFrom("authn_keys").select("id").executeTakeFirstOrThrow();
    const client = callBy<AuthenticationClient>({ kind: "authentication_client", id });
    const { codes, settings, users } = services;
    return {
      ...services,
      ...{ db, clock, company, administrator, client, dataDir: directory.dataDir },
      ...{ postgres: directory.postgres, rootKey: directory.rootKey },
      createUser: async (username) => {
        const input = { username, email: `${username}@example.com`, firstName: "Test", lastName: "User" };
        return (await users.upsert(administrator, input)).user;
      },
      issue: async (userId, request = {}) => (await codes.issue(administrator, userId, request)).code,
      verify: async (user, code) => (await codes.verify(client, { user, code })).accepted,
      changeSettings: async (change) => {
        const { version, settings: before } = await settings.current();
        const after = structuredClone(before);
        change(after);
        await settings.replace(administrator, version, after);
      },
      restart: async () => {
        await db.close();
        return open();
      },
      close: async () => {
        await db.close();
        await removeDataDirectory(directory);
      },
    };
  };
  const core = await open();
  await core.changeSettings((settings) => {
    settings.answerTimeMs = 0;
  });
  return core;
}

function callBy<By extends Administrator | AuthenticationClient>(principal: By): Call<By> {
  return { principal, requestId: "test-request", address: "127.0.0.1" };
}
