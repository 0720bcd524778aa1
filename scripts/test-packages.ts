/**
 * Tries the packages as they will be published: `npm run test:packages`.
 *
 * Builds and packs them, installs the tarballs in an empty folder, and runs there the server, the CLI
 * and the SDK, the latter on the oldest Node that it promises too.
 */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { packageFolders, root } from "./packages.ts";

const oldestNode = "20";
const readyWithinMs = 10_000;
const user = { username: "ada", email: "ada@example.com", firstName: "Ada", lastName: "Lovelace" };

const workspace = mkdtempSync(join(tmpdir(), "sparekey-packages-"));
const consumer = join(workspace, "consumer");

try {
  install();
  checkTypes();
  await useThem();
  console.log("packages: all of it works");
} finally {
  rmSync(workspace, { recursive: true, force: true });
}

function install() {
  step("build", () => run(process.execPath, [join(root, "scripts/build.ts")], root));
  mkdirSync(consumer);
  writeFileSync(join(consumer, "package.json"), JSON.stringify({ private: true, type: "module" }));
  const folders = packageFolders.map((folder) => join(folder, "dist"));
  step("pack", () => run("npm", ["pack", "--silent", "--pack-destination", workspace, ...folders]));
  const tarballs = readdirSync(workspace).filter((name) => name.endsWith(".tgz"));
  assert.equal(tarballs.length, folders.length);
  step("install", () => npmInstall(consumer, ...tarballs.map((name) => join(workspace, name))));
}

/** The published declarations, as a stranger's strict project sees them. */
function checkTypes() {
  writeFileSync(
    join(consumer, "consumer.ts"),
    `import type { UserDetails } from "@sparekey/contract";
    import { createSparekeyClient, type KeyFile } from "@sparekey/sdk";
    declare const keyFile: KeyFile;
    export const found: UserDetails = await createSparekeyClient({ keyFile }).vendor.lookupUser({ username: "ada" });
    // @ts-expect-error: if the declarations were missing, everything would be any and this would pass
    export const nothing = found.nothing;`,
  );
  const options = ["--noEmit", "--strict", "--skipLibCheck", "--module", "nodenext", "--target", "es2023"];
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  step("types", () => run(process.execPath, [tsc, ...options, "consumer.ts"]));
}

async function useThem() {
  const port = await freePort();
  const address = `http://127.0.0.1:${port}`;
  const dataDir = join(workspace, "data");
  const places = step("sparekey-server init", () =>
    JSON.parse(run(bin("sparekey-server"), ["init", "--data-dir", dataDir, "--public-url", address, "--json"])),
  );
  const server = spawn(bin("sparekey-server"), ["serve", "--data-dir", dataDir, "--port", String(port)], {
    env: environment(),
    stdio: ["ignore", "ignore", "inherit"],
  });
  try {
    await waitUntilReady(address, server);
    console.log("ok  sparekey-server serve");
    useCli(places.keyFile);
    for (const node of [process.execPath, findNode(oldestNode)]) useSdk(node, places.keyFile);
  } finally {
    server.kill("SIGTERM");
    if (server.exitCode === null) await once(server, "exit");
  }
  assert.equal(server.exitCode, 0, "the server stops cleanly on SIGTERM");
}

function useCli(keyFile: string) {
  const csv = join(workspace, "users.csv");
  writeFileSync(csv, `${Object.keys(user).join(",")}\n${Object.values(user).join(",")}\n`);
  step("sparekey users import", () => run(bin("sparekey"), ["users", "import", csv, "--key", keyFile]));
  step("sparekey code issue", () =>
    run(bin("sparekey"), ["code", "issue", user.username, "--hours", "1", "--key", keyFile]),
  );
}

function useSdk(node: string, keyFile: string) {
  const script = join(consumer, "lookup.js");
  writeFileSync(
    script,
    `import { readFileSync } from "node:fs";
    import { createSparekeyClient, parseKeyFile } from "@sparekey/sdk";
    const client = createSparekeyClient({ keyFile: parseKeyFile(readFileSync(process.argv[2], "utf8")) });
    const found = await client.vendor.lookupUser({ username: "${user.username}" });
    console.log(process.version, found.emailAddress);`,
  );
  const [version, email] = run(node, [script, keyFile]).trim().split(" ");
  assert.equal(email, user.email);
  console.log(`ok  SDK on Node ${version}`);
}

async function waitUntilReady(address: string, server: ReturnType<typeof spawn>) {
  const end = Date.now() + readyWithinMs;
  while (Date.now() < end && server.exitCode === null) {
    const answer = await fetch(`${address}/readyz`).catch(() => undefined);
    if (answer?.status === 200) return;
    await delay(50);
  }
  throw new Error(`the server was not ready within ${readyWithinMs} ms`);
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  assert(typeof address === "object" && address !== null);
  probe.close();
  return address.port;
}

/** A Node of this major version: one that the machine has, or else the one that npm has. */
function findNode(major: string): string {
  const candidates = (process.env.PATH ?? "").split(delimiter).map((folder) => join(folder, "node"));
  const found = candidates.find((node) => versionOf(node)?.startsWith(`v${major}.`));
  if (found !== undefined) return found;
  const name = `${process.platform === "darwin" && process.arch === "arm64" ? "node-bin" : "node"}-${process.platform}-${process.arch}`;
  const folder = join(workspace, "node");
  mkdirSync(folder);
  step(`fetch Node ${major}`, () => npmInstall(folder, `${name}@${major}`));
  return join(folder, "node_modules", name, "bin/node");
}

function versionOf(node: string): string | undefined {
  try {
    return execFileSync(node, ["--version"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  } catch {
    return undefined;
  }
}

function bin(name: string): string {
  return join(consumer, "node_modules/.bin", name);
}

function npmInstall(folder: string, ...packages: string[]) {
  run("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", folder, ...packages], folder);
}

/** Ours without what would configure a Sparekey or the npm below this one. */
function environment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(SPAREKEY_|npm_(?!config_))/i.test(name)),
  );
}

/** Runs a program to its end and answers what it printed; throws, with its complaints shown, when it fails. */
function run(command: string, parameters: string[], cwd = consumer): string {
  return execFileSync(command, parameters, {
    cwd,
    encoding: "utf8",
    env: environment(),
    stdio: ["ignore", "pipe", "inherit"],
  });
}

function step<Result>(name: string, work: () => Result): Result {
  const start = performance.now();
  const result = work();
  console.log(`ok  ${name} (${((performance.now() - start) / 1000).toFixed(1)} s)`);
  return result;
}
