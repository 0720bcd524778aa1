/** Everything that can be wrong at start: one readable answer, an exit code of its own, and nothing left running. */
import assert from "node:assert/strict";
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import {
  copyInstallation,
  createInstallation,
  type Environment,
  type Installation,
  makeDirectory,
  runServerCommand,
  startServer,
} from "./server-process.ts";

let made: Installation;
before(async () => {
  made = await createInstallation();
});
after(() => made.remove());

const serve = (dataDir: string, env: Environment = {}) =>
  runServerCommand(["serve", "--data-dir", dataDir], { SPAREKEY_PORT: "0", ...env });

/** The lines that start with `error:`. */
function errorsIn(stderr: string): string[] {
  return stderr.split("\n").filter((line) => line.startsWith("error: "));
}

test("exit 3 where nothing was initialised", async (t) => {
  const dataDir = makeDirectory();
  t.after(() => rmSync(dataDir, { recursive: true }));
  for (const command of ["serve", "migrate", "keys list"]) {
    const { exitCode, stderr } = await runServerCommand([...command.split(" "), "--data-dir", dataDir]);
    assert.equal(exitCode, 3, command);
    assert.match(stderr, /^error: .* holds no Sparekey installation\nhint: make one with: sparekey-server init/);
  }
});

test("exit 2 with every problem of the configuration at once", async () => {
  const { exitCode, stdout, stderr } = await serve(made.dataDir, {
    SPAREKEY_HOST: "0.0.0.0",
    SPAREKEY_PORT: "70000",
    SPAREKEY_LOG_LEVEL: "loud",
    SPAREKEY_PUBLIC_URL: "example.com",
    SPAREKEY_TLS_CERT_FILE: "/nowhere/cert.pem",
    SPAREKEY_METRICS_TOKEN: "a",
    SPAREKEY_METRICS_TOKEN_FILE: "/nowhere/token",
    SPAREKEY_TRUSTED_PROXIES: "proxy.example.com",
    SPAREKEY_PROT: "8080",
  });
  assert.equal(exitCode, 2);
  const errors = errorsIn(stderr);
  for (const name of ["PORT", "LOG_LEVEL", "PUBLIC_URL", "TLS_CERT_FILE", "METRICS_TOKEN", "TRUSTED_PROXIES", "PROT"]) {
    assert.ok(
      errors.some((line) => line.includes(`SPAREKEY_${name} `)),
      `nothing about SPAREKEY_${name} in ${stderr}`,
    );
  }
  assert.ok(errors.some((line) => line.includes("/nowhere/cert.pem")));
  assert.match(stderr, /\nhint: .*\n$/);
  assert.equal(stdout, "");
});

test("exit 2 for a host beyond this machine without TLS and without a named proxy", async () => {
  for (const host of ["0.0.0.0", "::", "192.0.2.1"]) {
    const { exitCode, stderr } = await serve(made.dataDir, { SPAREKEY_HOST: host });
    assert.equal(exitCode, 2, host);
    assert.match(stderr, /needs TLS .* or a named proxy/);
  }
});

test("exit 2 for a SPAREKEY_ variable that nothing reads", async () => {
  const { exitCode, stderr } = await serve(made.dataDir, { SPAREKEY_DATADIR: "/tmp" });
  assert.equal(exitCode, 2);
  assert.deepEqual(errorsIn(stderr).length, 1);
  assert.match(stderr, /^error: SPAREKEY_DATADIR is not a setting/);
});

test("exit 4 for the root key of another installation, and for one that is no key", async (t) => {
  const copy = copyInstallation(made);
  t.after(copy.remove);
  for (const rootKey of [Buffer.alloc(32, 7).toString("base64"), "not a key"]) {
    writeFileSync(join(copy.dataDir, "root.key"), rootKey);
    const { exitCode, stderr } = await serve(copy.dataDir);
    assert.equal(exitCode, 4);
    assert.match(stderr, /^error: .*root key.*\nhint: /);
    assert.ok(!stderr.includes(rootKey), "the key is in the message");
  }
  rmSync(join(copy.dataDir, "root.key"));
  assert.equal((await serve(copy.dataDir)).exitCode, 4);
});

test("exit 5 for a port that is taken", async (t) => {
  const other = createServer().listen(0, "localhost");
  await new Promise((resolve) => other.once("listening", resolve));
  t.after(() => other.close());
  const { port } = other.address() as { port: number };
  const { exitCode, stderr } = await serve(made.dataDir, { SPAREKEY_PORT: String(port) });
  assert.equal(exitCode, 5);
  assert.match(stderr, new RegExp(`^error: cannot listen on localhost:${port}\nhint: another program listens there`));
});

test("exit 6 for a database that is none", async (t) => {
  const copy = copyInstallation(made);
  t.after(copy.remove);
  writeFileSync(join(copy.dataDir, "sparekey.db"), "no database, but long enough to look like one. ".repeat(1_000));
  const { exitCode, stderr } = await serve(copy.dataDir);
  assert.equal(exitCode, 6);
  assert.match(stderr, /^error: .*\nhint: /);
});

test("exit 2 for certificate files that are no certificate", async (t) => {
  const directory = makeDirectory();
  t.after(() => rmSync(directory, { recursive: true }));
  const file = join(directory, "cert.pem");
  writeFileSync(file, "no certificate");
  const env = { SPAREKEY_TLS_CERT_FILE: file, SPAREKEY_TLS_KEY_FILE: file };
  const { exitCode, stderr } = await serve(made.dataDir, env);
  assert.equal(exitCode, 2);
  assert.match(stderr, /^error: the certificate and its key cannot be used .*\nhint: /);
  assert.ok(!stderr.includes("    at "), `a stack trace: ${stderr}`);
});

test("secrets can come from files that `_FILE` names", async (t) => {
  const copy = copyInstallation(made);
  t.after(copy.remove);
  const elsewhere = join(copy.dataDir, "..", "secrets");
  cpSync(join(copy.dataDir, "root.key"), join(elsewhere, "root"));
  rmSync(join(copy.dataDir, "root.key"));
  writeFileSync(join(elsewhere, "metrics"), "metrics-token-of-this-test\n");
  const server = await startServer(copy.dataDir, {
    SPAREKEY_ROOT_KEY_FILE: join(elsewhere, "root"),
    SPAREKEY_METRICS_TOKEN_FILE: join(elsewhere, "metrics"),
  });
  t.after(() => server.stop());
  assert.equal((await fetch(`${server.url}/metrics`)).status, 403);
  const headers = { authorization: "Bearer metrics-token-of-this-test" };
  assert.equal((await fetch(`${server.url}/metrics`, { headers })).status, 200);

  const both = {
    SPAREKEY_ROOT_KEY: readFileSync(join(elsewhere, "root"), "utf8"),
    SPAREKEY_ROOT_KEY_FILE: join(elsewhere, "root"),
  };
  const { exitCode, stderr } = await serve(made.dataDir, both);
  assert.equal(exitCode, 2);
  assert.match(stderr, /exclude each other/);
});
