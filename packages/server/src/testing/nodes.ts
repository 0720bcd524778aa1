/**
 * Several nodes on one database: the services of each, without a wire, for races between them.
 *
 * On SQLite they share the process's one connection, as one node does; what only one node knows is not shared.
 */
import { randomUUID } from "node:crypto";
import { rmSync } from "node:fs";
import { sql } from "kysely";
import { createServices } from "../app.ts";
import { type Company, createInstallation, findCompany } from "../installation/service.ts";
import { generateRootKey, parseRootKey, type RootKey } from "../keyring/service.ts";
import type { Database } from "../platform/database/database.ts";
import { migrateToLatest } from "../platform/database/migrate.ts";
import { openPostgres } from "../platform/database/postgres.ts";
import { createLog } from "../platform/log.ts";
import { systemRandom } from "../platform/random.ts";
import type { Administrator, Call } from "../principal.ts";
import { migrations } from "../schema/migrations.ts";
import type { Tables } from "../schema/tables.ts";
import { createTestClock, type TestClock } from "./clock.ts";
import { makeDataDirectory, openDataDirectory, openKeyring } from "./data-directory.ts";

type Services = ReturnType<typeof createServices>;
export type Node = Services & { db: Database<Tables> };

export interface Nodes {
  nodes: [Node, Node, ...Node[]];
  db: Database<Tables>;
  company: Company;
  clock: TestClock;
  administrator: Call<Administrator>;
  close(): Promise<void>;
}

/** A PostgreSQL for these tests, as a superuser's URL; without one they say so and are left out. */
const postgresUrl = process.env.TEST_POSTGRES_URL;
export const withoutPostgres = postgresUrl === undefined && "TEST_POSTGRES_URL names no PostgreSQL";

export async function startNodes(kind: "sqlite" | "postgres", count: number): Promise<Nodes> {
  const clock = createTestClock();
  const { databases, rootKey, remove } = await (kind === "sqlite" ? makeSqlite(clock) : makePostgres(clock));
  const [db] = databases;
  const company = (await findCompany(db.read)) as Company;
  const nodes = await Promise.all(
    Array.from({ length: count }, async (_, place): Promise<Node> => {
      const own = databases[place % databases.length] as Database<Tables>;
      const { keyring, revision } = await openKeyring({ db: own, company, rootKey, clock });
      const _log = createLog("silent");
      return { ...createServices({ db: own, company, revision, keyring, clock, random: systemRandom }), db: own };
    }),
  );
  return {
    ...{ db, company, clock, nodes: nodes as Nodes["nodes"] },
    administrator: {
      principal: { kind: "administrator", id: "test-key", role: "Super Administrator" },
      ...{ requestId: "test-request", address: "127.0.0.1" },
    },
    close: async () => {
      await Promise.all(databases.map((one) => one.close()));
      await remove();
    },
  };
}

interface Made {
  databases: [Database<Tables>, ...Database<Tables>[]];
  rootKey: RootKey;
  remove(): Promise<void>;
}

async function makeSqlite(clock: TestClock): Promise<Made> {
  const directory = await makeDataDirectory("vendor", clock);
  const { db } = await openDataDirectory(directory, clock);
  const remove = async () => rmSync(directory.dataDir, { recursive: true, force: true });
  return { databases: [db], rootKey: directory.rootKey, remove };
}

/** Two processes' worth of connections to a database of its own. */
async function makePostgres(clock: TestClock): Promise<Made> {
  const name = `nodes_${randomUUID().replaceAll("-", "")}`;
  const url = new URL(postgresUrl ?? "");
  const run = async (statement: string) => {
    const server = openPostgres<Tables>(url.href);
    await sql.raw(statement).execute(server.read);
    await server.close();
  };
  await run(`CREATE DATABASE ${name}`);
  const own = new URL(url);
  own.pathname = name;
  const databases: Made["databases"] = [openPostgres<Tables>(own.href), openPostgres<Tables>(own.href)];
  const [db] = databases;
  await db.migrate((connection) => migrateToLatest(connection, migrations));
  const rootKey = parseRootKey(generateRootKey(systemRandom)) as RootKey;
  const request = { companyName: "Test Company", publicUrl: "http://localhost:8080", profile: "vendor" } as const;
  await createInstallation(db, rootKey, request, { clock, random: systemRandom });
  return { databases, rootKey, remove: () => run(`DROP DATABASE ${name} WITH (FORCE)`) };
}
