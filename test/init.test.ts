/** What `init` makes, and that it destroys nothing. */
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { after, before, test } from "node:test";
import { createInstallation, type Installation, makeDirectory, runServerCommand } from "./server-process.ts";

let made: Installation;
before(async () => {
  made = await createInstallation(["--company", "Example Corp", "--public-url", "https://codes.example.com"]);
});
after(() => made.remove());

const modeOf = (path: string) => statSync(path).mode & 0o777;

test("the directory and every file in it are for their owner alone", () => {
  assert.equal(modeOf(made.dataDir), 0o700);
  for (const name of readdirSync(made.dataDir)) assert.equal(modeOf(join(made.dataDir, name)), 0o600, name);
});

test("the key file has the vendor's form and the company's public URL", () => {
  const { customerName, accessID, accessKey, adminRestApiUrl } = made.keyFile;
  assert.equal(customerName, "Example Corp");
  assert.equal(basename(made.keyFilePath), `${accessID}.key`);
  assert.match(accessKey, /^-----BEGIN RSA PRIVATE KEY-----\n/);
  assert.equal(adminRestApiUrl, "https://codes.example.com/AdminInterface/restapi/");
  assert.match(made.clientKey, /^[A-Za-z0-9_-]{64}$/);
});

test("no secret is in the database: not the root key, the private key or the Authentication API key", () => {
  const database = readFileSync(join(made.dataDir, "sparekey.db"), "latin1");
  assert.ok(database.includes(made.keyFile.accessID));
  for (const secret of [made.rootKey, made.clientKey, "PRIVATE KEY"]) assert.ok(!database.includes(secret));
});

test("a second init changes nothing and exits with 3", async () => {
  const contents = () =>
    readdirSync(made.dataDir).map((name) => [name, readFileSync(join(made.dataDir, name), "latin1")]);
  const before = contents();
  const { exitCode, stderr } = await runServerCommand(["init", "--data-dir", made.dataDir]);
  assert.equal(exitCode, 3);
  assert.match(stderr, /^error: .*sparekey\.db is already there, and init overwrites nothing\nhint: /);
  assert.deepEqual(contents(), before);
});

test("a directory that holds one file of an installation is left as it is", async (t) => {
  const directory = makeDirectory();
  t.after(() => rmSync(directory, { recursive: true }));
  for (const name of ["root.key", "authn-api.key", "sparekey.db"]) {
    const dataDir = join(directory, name.replace(".", "-"));
    mkdirSync(dataDir);
    writeFileSync(join(dataDir, name), "mine");
    const { exitCode } = await runServerCommand(["init", "--data-dir", dataDir]);
    assert.equal(exitCode, 3);
    assert.deepEqual(readdirSync(dataDir), [name]);
    assert.equal(readFileSync(join(dataDir, name), "utf8"), "mine");
  }
});

test("an init that fails half way removes what it made", async (t) => {
  const directory = makeDirectory();
  t.after(() => rmSync(directory, { recursive: true }));
  // A directory where the database's own log would go: SQLite cannot work beside it.
  mkdirSync(join(directory, "sparekey.db-wal"), { recursive: true });
  const { exitCode, stderr } = await runServerCommand(["init", "--data-dir", directory]);
  assert.notEqual(exitCode, 0);
  assert.match(stderr, /^error: /);
  assert.deepEqual(readdirSync(directory), ["sparekey.db-wal"]);
});
