/** A real installation for a test: a database, the whole app, listening on loopback. */
import { createPrivateKey } from "node:crypto";
import type { AddressInfo } from "node:net";
import type { KeyFile, Profile, Settings, User } from "@sparekey/contract";
import { SignJWT } from "jose";
import { createApp } from "../app.ts";
import type { Company } from "../installation/service.ts";
import type { RootKey } from "../keyring/service.ts";
import { instantToMs } from "../platform/clock.ts";
import type { Database } from "../platform/database/database.ts";
import type { Job } from "../platform/jobs.ts";
import { createLog } from "../platform/log.ts";
import { systemRandom } from "../platform/random.ts";
import type { Tables } from "../schema/tables.ts";
import { createTestClock, type TestClock } from "./clock.ts";
import { type DataDirectory, makeDataDirectory, openDataDirectory, removeDataDirectory } from "./data-directory.ts";

/** What an HTTP call answered. `body` is parsed JSON, or text when it is not JSON. */
export interface Answer {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of every shape, and fail where one differs.
  body: any;
}

export interface CallOptions {
  /** Sent as JSON, unless it is a string, which is sent as it is. */
  body?: unknown;
  headers?: Record<string, string>;
}

export interface TestInstallation {
  url: string;
  dataDir: string;
  postgres: DataDirectory["postgres"];
  db: Database<Tables>;
  /** Opens the same database a second time, as a restart or another node does. */
  rootKey: RootKey;
  clock: TestClock;
  company: Company;
  keyFile: KeyFile;
  clientKey: string;
  jobs: Job[];
  /** A call without credentials. */
  call(method: string, path: string, options?: CallOptions): Promise<Answer>;
  /** A call with a Super Administrator's token. */
  admin(method: string, path: string, body?: unknown): Promise<Answer>;
  /** A call with the Authentication API key. */
  client(method: string, path: string, body?: unknown): Promise<Answer>;
  /** A token signed with the Super Administrator's key, or another key file. */
  token(keyFile?: KeyFile): Promise<string>;
  createUser(username: string, more?: Partial<User>): Promise<User>;
  /** Issues through Sparekey's own API and answers the plain code. */
  issue(userId: string, body?: unknown): Promise<string>;
  verify(user: string, code: string): Promise<boolean>;
  changeSettings(change: (settings: Settings) => void): Promise<void>;
  /** Actions and reasons in the record, in order: `emergency_code.verified/wrong_code`. */
  recorded(): Promise<string[]>;
  close(): Promise<void>;
}

export interface InstallationOptions {
  profile?: Profile;
  clock?: TestClock;
  /** Stands between the app and its database, to see or to change what passes. */
  watch?: (db: Database<Tables>) => Database<Tables>;
}

export async function startInstallation(options: InstallationOptions = {}): Promise<TestInstallation> {
  const clock = options.clock ?? createTestClock();
  const directory = await makeDataDirectory(options.profile ?? "vendor", clock);
  const { dataDir, rootKey, keyFile, clientKey, postgres } = directory;
  const { db, company, revision, keyring } = await openDataDirectory(directory, clock);
  const { watch = (database) => database } = options;
  const log = createLog("silent");
  const { http, jobs } = await createApp({
    db: watch(db),
    company,
    revision,
    keyring,
    clock,
    random: systemRandom,
    log,
  });
  await http.listen({ host: "127.0.0.1", port: 0 });
  const url = `http://127.0.0.1:${(http.server.address() as AddressInfo).port}`;

  const call: TestInstallation["call"] = async (method, path, { body, headers = {} } = {}) => {
    const content = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
    const type = content === undefined ? {} : { "content-type": "application/json" };
    const response = await fetch(url + path, {
      method,
      headers: { ...type, ...headers },
      ...(content !== undefined && { body: content }),
    });
    return { status: response.status, headers: response.headers, body: parse(await response.text()) };
  };
  const token: TestInstallation["token"] = (file = keyFile) => signToken(file, clock);
  const admin: TestInstallation["admin"] = async (method, path, body) =>
    call(method, path, { body, headers: { authorization: `Bearer ${await token()}` } });
  const client: TestInstallation["client"] = (method, path, body) =>
    call(method, path, { body, headers: { "client-key": clientKey } });

  return {
    ...{ url, dataDir, postgres, db, rootKey, jobs, clock, company, keyFile, clientKey, call, admin, client, token },
    createUser: async (username, more = {}) => {
      const [firstName = "Test", lastName = "User"] = username.split(".");
      const body = { username, email: `${username}@example.com`, firstName, lastName, ...more };
      return expectOk(await admin("POST", "/api/v1/users", body));
    },
    issue: async (userId, body = {}) =>
      expectOk(await admin("POST", `/api/v1/users/${userId}/emergency-code`, body)).code,
    verify: async (user, code) => expectOk(await client("POST", "/api/v1/verify", { user, code })).accepted,
    changeSettings: async (change) => {
      const { body, headers } = await admin("GET", "/api/v1/settings");
      change(body);
      const ifMatch = { "if-match": headers.get("etag") ?? "", authorization: `Bearer ${await token()}` };
      expectOk(await call("PUT", "/api/v1/settings", { body, headers: ifMatch }));
    },
    recorded: async () => {
      const { events } = expectOk(await admin("GET", "/api/v1/audit/events?limit=1000"));
      return events.map((event: { action: string; reason: string | null }) =>
        event.reason === null ? event.action : `${event.action}/${event.reason}`,
      );
    },
    close: async () => {
      await http.close();
      await db.close();
      await removeDataDirectory(directory);
    },
  };
}

/** A legacy token as the vendor's clients make it. */
async function signToken(keyFile: KeyFile, clock: TestClock): Promise<string> {
  const nowSeconds = Math.floor(instantToMs(clock.now()) / 1_000);
  return new SignJWT({ sub: keyFile.accessID, aud: keyFile.adminRestApiUrl, iat: nowSeconds, exp: nowSeconds + 600 })
    .setProtectedHeader({ alg: "RS256", typ: "JWT" })
    .sign(createPrivateKey(keyFile.accessKey));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function expectOk({ status, body }: Answer) {
  if (status >= 300) throw new Error(`expected success, got ${status} ${JSON.stringify(body)}`);
  return body;
}
