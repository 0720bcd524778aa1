/** An installation for the bench: made by `init`, filled with users, rate limits out of the way. */
import { execFile } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { KeyFile, Settings } from "@sparekey/contract";
import { createSparekeyClient, parseKeyFile } from "@sparekey/sdk";
import { type Company, findCompany } from "../../packages/server/src/installation/service.ts";
import { parseRootKey, type RootKey } from "../../packages/server/src/keyring/service.ts";
import { systemClock } from "../../packages/server/src/platform/clock.ts";
import type { Database } from "../../packages/server/src/platform/database/database.ts";
import { openPostgres } from "../../packages/server/src/platform/database/postgres.ts";
import { openSqlite } from "../../packages/server/src/platform/database/sqlite.ts";
import type { Tables } from "../../packages/server/src/schema/tables.ts";
import { openKeyring } from "../../packages/server/src/testing/data-directory.ts";
import type { PostgresServer } from "../../packages/server/src/testing/postgres/server.ts";
import { BearerTokens } from "./bearer-tokens.ts";
import { fillPostgres } from "./fill-postgres.ts";
import { fillSqlite } from "./fill-sqlite.ts";
import { type Population, populate } from "./population.ts";

export const program = join(import.meta.dirname, "../../packages/server/src/main.ts");

export interface Installation {
  dataDir: string;
  /** What a server needs besides its data directory. */
  env: Record<string, string>;
  clientKey: string;
  tokens: BearerTokens;
  population: Population;
  /** Changes how long every verification takes, at a server that runs. */
  setAnswerTime(port: number, answerTimeMs: number): Promise<void>;
}

interface Wanted {
  /** Where the data directory is made. */
  directory: string;
  users: number;
  /** Undefined for SQLite. */
  postgres: PostgresServer | undefined;
  signal: AbortSignal;
}

export async function makeInstallation({ directory, users, postgres, signal }: Wanted): Promise<Installation> {
  const dataDir = join(directory, "data");
  mkdirSync(directory, { recursive: true });
  const urls = await postgres?.createDatabase(`bench_${users}`);
  const env: Record<string, string> =
    urls === undefined ? {} : { SPAREKEY_DATABASE_URL: urls.appUrl, SPAREKEY_DATABASE_OWNER_URL: urls.ownerUrl };
  const init = [program, "init", "--data-dir", dataDir, "--json"];
  const { stdout } = await promisify(execFile)(process.execPath, init, { env: { ...process.env, ...env } });
  const paths = JSON.parse(stdout);
  const keyFile = parseKeyFile(readFileSync(paths.keyFile, "utf8"));
  const file = join(dataDir, "sparekey.db");
  const db = urls === undefined ? openSqlite<Tables>(file) : openPostgres<Tables>(urls.ownerUrl);
  const company = (await findCompany(db.read)) as Company;
  const rootKey = parseRootKey(readFileSync(paths.rootKey, "utf8").trim()) as RootKey;
  const { keyring: keys } = await openKeyring({ db, company, rootKey, clock: systemClock });
  const keyring = await keys.fresh();
  await liftLimits(db);
  await db.close();
  const filler = urls === undefined ? fillSqlite(file) : await fillPostgres(urls.superuserUrl);
  const population = await populate(filler, { count: users, companyId: company.id, keyring, signal });
  await postgres?.query("CHECKPOINT");
  return {
    ...{ dataDir, env, population },
    clientKey: readFileSync(paths.authnKeyFile, "utf8").trim(),
    tokens: new BearerTokens(keyFile),
    setAnswerTime: (port, answerTimeMs) => setAnswerTime(keyFile, port, answerTimeMs),
  };
}

/** Before any server reads them. Answers come at once: on the beat, connections alone would decide how many there are. */
async function liftLimits(db: Database<Tables>) {
  const most = 10_000_000;
  const rateLimits = { administrationPerMinute: most, authenticationPerMinute: most, refusedPerMinute: most };
  await db.write(async (trx) => {
    const { value } = await trx.selectFrom("settings").select("value").executeTakeFirstOrThrow();
    const settings: Settings = { ...(JSON.parse(value) as Settings), rateLimits, answerTimeMs: 0 };
    await trx
      .updateTable("settings")
      .set({ value: JSON.stringify(settings) })
      .execute();
  });
}

async function setAnswerTime(keyFile: KeyFile, port: number, answerTimeMs: number) {
  const { settings } = createSparekeyClient({ keyFile, baseUrl: `http://127.0.0.1:${port}` });
  const { settings: current, etag } = await settings.get();
  await settings.put({ ...current, answerTimeMs }, etag);
}
