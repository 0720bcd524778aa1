/** The server under test: a new installation on disk, with users who all have an active code. */
import { execFileSync } from "node:child_process";
import { createPrivateKey, randomUUID, sign } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSparekeyClient, type KeyFile, parseKeyFile } from "@sparekey/sdk";
import type { Request } from "autocannon";
import { startPinned } from "./processes.ts";

const program = join(import.meta.dirname, "../packages/server/src/main.ts");
const json = { "content-type": "application/json" };

export async function startSubject(port: number, userCount: number) {
  const home = mkdtempSync(join(tmpdir(), "sparekey-bench-"));
  const dataDir = join(home, "data");
  const url = `http://127.0.0.1:${port}`;
  const init = [program, "init", "--data-dir", dataDir, "--public-url", url, "--json"];
  const paths = JSON.parse(execFileSync(process.execPath, init, { encoding: "utf8" }));
  const keyFile = parseKeyFile(readFileSync(paths.keyFile, "utf8"));
  const clientKey = readFileSync(paths.authnKeyFile, "utf8").trim();
  const args = ["serve", "--data-dir", dataDir, "--host", "127.0.0.1", "--port", String(port)];
  const server = await startPinned(program, args, port);
  const idleMiB = server.memoryMiB();
  const users = await fill(keyFile, userCount);

  const administrator = { ...json, authorization: `Bearer ${mintToken(keyFile)}` };
  const client = { ...json, "client-key": clientKey };
  // Issuing replaces a user's code, so those who verify are others.
  const half = Math.ceil(users.length / 2);
  const [issued, verified] = [users.slice(0, half), users.slice(half)];
  return {
    ...server,
    idleMiB,
    requests: {
      issue: inTurn(issued, ({ id }) => ({
        method: "PUT",
        path: `/AdminInterface/restapi/v1/users/${id}/emergencyTokencode`,
        headers: administrator,
        body: '{"expirationDays":"1"}',
      })),
      verify: inTurn(verified, ({ username, code }) => ({
        method: "POST",
        path: "/api/v1/verify",
        headers: client,
        body: JSON.stringify({ user: username, code }),
      })),
      lookup: inTurn(users, ({ username }) => ({
        method: "POST",
        path: "/AdminInterface/restapi/v1/users/lookup",
        headers: administrator,
        body: JSON.stringify({ username }),
      })),
    },
    setAnswerTime: (answerTimeMs: number) => setAnswerTime(keyFile, answerTimeMs),
    stop: async () => {
      await server.stop();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

/** One request a turn, over all of the users again and again. */
function inTurn(users: BenchUser[], request: (user: BenchUser) => Request): () => Request {
  let turn = 0;
  return () => request(users[turn++ % users.length] as BenchUser);
}

interface BenchUser {
  id: string;
  username: string;
  code: string;
}

/** Users with a reusable code each, and rate limits out of the way. */
async function fill(keyFile: KeyFile, count: number): Promise<BenchUser[]> {
  const { users, codes, settings } = createSparekeyClient({ keyFile });
  const { settings: current, etag } = await settings.get();
  const most = 10_000_000;
  const rateLimits = { administrationPerMinute: most, authenticationPerMinute: most, refusedPerMinute: most };
  await settings.put({ ...current, rateLimits, answerTimeMs: 0 }, etag);
  const made: BenchUser[] = [];
  for (let start = 0; start < count; start += 500) {
    const inputs = Array.from({ length: Math.min(500, count - start) }, (_, index) => {
      const username = `bench.user${start + index}`;
      return { username, email: `${username}@example.com`, firstName: "Bench", lastName: String(start + index) };
    });
    const { results } = await users.upsertBatch(inputs);
    const issued = results.map(async ({ user, username }) => {
      if (user === undefined) throw new Error(`${username} was refused`);
      return { id: user.id, username, code: (await codes.issue(user.id, {})).code };
    });
    made.push(...(await Promise.all(issued)));
  }
  return made;
}

async function setAnswerTime(keyFile: KeyFile, answerTimeMs: number) {
  const { settings } = createSparekeyClient({ keyFile });
  const { settings: current, etag } = await settings.get();
  await settings.put({ ...current, answerTimeMs }, etag);
}

/** One token for the whole bench, as a client of the vendor keeps one. */
function mintToken({ accessID, accessKey, adminRestApiUrl }: KeyFile): string {
  const now = Math.floor(Date.now() / 1_000);
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const claims = { sub: accessID, aud: adminRestApiUrl, iat: now, exp: now + 3_600, jti: randomUUID() };
  const head = `${encode({ alg: "RS256", typ: "JWT" })}.${encode(claims)}`;
  return `${head}.${sign("sha256", Buffer.from(head), createPrivateKey(accessKey)).toString("base64url")}`;
}
