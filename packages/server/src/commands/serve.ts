/** `sparekey-server serve`: the service itself, from start to an orderly end. */
import { mkdirSync, readFileSync } from "node:fs";
import { flushCompileCache } from "node:module";
import { createSecureContext } from "node:tls";
import { type App, createApp } from "../app.ts";
import { AuditService } from "../audit/service.ts";
import type { Config, Secrets } from "../config.ts";
import type { Company } from "../installation/service.ts";
import { RotationService } from "../keyring/rotation-service.ts";
import { KeyringService, type RootKey, WrongRootKey } from "../keyring/service.ts";
import { systemClock } from "../platform/clock.ts";
import type { Database } from "../platform/database/database.ts";
import { migrateToLatest, pendingMigrations } from "../platform/database/migrate.ts";
import { startJobs } from "../platform/jobs.ts";
import { createLog, type Log } from "../platform/log.ts";
import { systemRandom } from "../platform/random.ts";
import { Readiness } from "../platform/readiness.ts";
import { commandCall } from "../principal.ts";
import { RevisionService } from "../revision/service.ts";
import { migrations } from "../schema/migrations.ts";
import type { Tables } from "../schema/tables.ts";
import { version } from "../version.ts";
import { CommandError } from "./command-error.ts";
import { type DatabaseNode, joinDatabase } from "./database-node.ts";
import { lockDataDir } from "./migrate.ts";
import { getCompany, isOpenToOthers, openDatabase } from "./open-installation.ts";
import { explainWrongRootKey } from "./open-keyring.ts";
import { guardAgainstRollback } from "./rollback-guard.ts";
import { fitRootKey, getRootKey, readRootKeys } from "./root-key.ts";

/** Connections that may wait to be accepted; the system bounds it as well. Node's 511 make a crowd wait for seconds. */
const backlogConnections = 4_096;
/** What is under way once the node has drained is cut short after this time. */
const stopWithinMs = 10_000;

/** Resolves once the service listens. It then runs until SIGTERM or SIGINT. */
export async function serve(config: Config, secrets: Secrets, { acceptRollback = false } = {}): Promise<void> {
  const db = openDatabase(config, secrets, { serving: true });
  const givenKey = await getRootKey(secrets.rootKey, config);
  const log = createLog(config.logLevel);
  const readiness = new Readiness();
  const { clock, jobs, release } = await (config.database.kind === "sqlite"
    ? serveEmbedded(db, config, log)
    : joinDatabase(db, config, { log, readiness }));
  const company = await getCompany(db, config);
  const parts = { db, companyId: company.id, clock, random: systemRandom };
  const revision = new RevisionService({ ...parts, others: db.shared });
  const keyring = await openKeyring({ ...parts, revision, log }, { config, secrets, company, givenKey });

  const { dataDir } = config;
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const rollback = await guardAgainstRollback({ db, company, dataDir, log, accept: acceptRollback });

  const stopping = new AbortController();
  const app = await createApp({
    ...{ db, company, revision, keyring, log, clock, readiness, rollback },
    random: systemRandom,
    tls: readTls(config),
    trustedProxies: config.exposure.kind === "proxy" ? config.exposure.networks : [],
    metricsToken: secrets.metricsToken,
    isStopping: () => stopping.signal.aborted,
  });
  const { audit } = app;
  await audit.recordAlone(commandCall, {
    action: "service.started",
    details: { version, database: config.database.kind, ha: config.ha },
  });
  const stopJobs = startJobs([...app.jobs, ...jobs], log);
  const stop = async (signal: string) => {
    if (stopping.signal.aborted) return;
    stopping.abort();
    log.info({ signal, drainMs: config.drainMs }, "stopping");
    setTimeout(() => process.exit(1), config.drainMs + stopWithinMs).unref();
    // A load balancer sees meanwhile that the node is not ready; until then it goes on sending, and is answered.
    await systemClock.sleep(config.drainMs);
    await app.http.close();
    await stopJobs();
    await rollback.look().catch((error: unknown) => log.error({ err: error }, "the record mark was not moved on"));
    await db.close();
    release?.();
    log.info("stopped");
  };
  // Before anyone can be told that it listens: a signal that comes right then must not cut answers off.
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => void stop(signal));
  await listen(app, config);
  warnOfSurprises(app, company, config, log);
  // Node writes it only at an orderly end, which a service that is always killed never has.
  flushCompileCache();
}

/** The embedded database belongs to this one process, so it is brought up to date without being asked. */
async function serveEmbedded(db: Database<Tables>, { dataDir }: Config, log: Log): Promise<DatabaseNode> {
  const { release } = lockDataDir(dataDir);
  await migrateIfBehind(db, log);
  return { clock: systemClock, jobs: [], release };
}

async function migrateIfBehind(db: Database<Tables>, log: Log) {
  const { pending, unknown } = await pendingMigrations(db.read, migrations);
  if (pending.length === 0 || unknown.length > 0) return;
  const ran = await db.migrate((connection) => migrateToLatest(connection, migrations));
  log.info({ migrations: ran }, "database migrated");
}

async function openKeyring(
  parts: Omit<Parameters<typeof KeyringService.open>[0], "rootKey" | "readRootKeys">,
  { config, secrets, company, givenKey }: { config: Config; secrets: Secrets; company: Company; givenKey: RootKey },
): Promise<KeyringService> {
  const source = secrets.rootKey;
  try {
    const { rootKey, finished } = await fitRootKey(givenKey, { source, config }, { db: parts.db, company });
    if (finished) parts.log.info({ dataDir: config.dataDir }, "root.key.next is now root.key, as keys rewrap began");
    await new RotationService({ ...parts, audit: new AuditService(parts) }).addMissingKeys(rootKey);
    return await KeyringService.open({ ...parts, rootKey, readRootKeys: () => readRootKeys(source, config) });
  } catch (error) {
    throw error instanceof WrongRootKey ? explainWrongRootKey(error) : error;
  }
}

async function listen(app: App, { host, port }: Config) {
  try {
    await app.http.listen({ host, port, backlog: backlogConnections });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const hints: Record<string, string> = {
      EADDRINUSE: `another program listens there; choose another --port, or find it with: ss -ltnp 'sport = :${port}'`,
      EACCES: "ports below 1024 need a privilege; choose another --port",
      EADDRNOTAVAIL: "no network interface of this machine has that address; check --host",
      ENOTFOUND: "that name does not resolve; check --host",
    };
    const hint = hints[code ?? ""];
    if (hint === undefined) throw error;
    throw new CommandError(`cannot listen on ${host}:${port}`, { hint, exitCode: 5, cause: error });
  }
}

function readTls({ exposure }: Config) {
  if (exposure.kind !== "tls") return undefined;
  const tls = { cert: readFileSync(exposure.certFile, "utf8"), key: readFileSync(exposure.keyFile, "utf8") };
  try {
    createSecureContext(tls);
    return tls;
  } catch (error) {
    throw new CommandError(`the certificate and its key cannot be used (${(error as Error).message})`, {
      hint: "SPAREKEY_TLS_CERT_FILE and SPAREKEY_TLS_KEY_FILE must name a certificate and its own private key, both PEM",
      exitCode: 2,
    });
  }
}

function warnOfSurprises(app: App, company: Company, config: Config, log: Log) {
  const bound = app.http.addresses().filter((address) => typeof address !== "string");
  const addresses = bound.map(({ address, port }) => `${address}:${port}`);
  log.info({ addresses, company: company.name, publicUrl: company.publicUrl }, "listening");
  if (isOpenToOthers(config.dataDir))
    log.warn({ dataDir: config.dataDir }, "others can read the data directory; run: chmod 700");
  const { port } = new URL(company.publicUrl);
  if (config.exposure.kind !== "proxy" && !bound.some((address) => String(address.port) === (port || "443"))) {
    log.warn(
      { publicUrl: company.publicUrl, addresses },
      "the public URL names another port than the one listened on; tokens must be made out to the public URL",
    );
  }
}
