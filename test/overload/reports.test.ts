/** Verification goes before reports: however many listings are asked for, codes are verified beside them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { authorizationOf, createApiCaller } from "../api-caller.ts";
import { createInstallation, type Environment, type Installation, startServer } from "../server-process.ts";
import { assertBounded, prepare, type Timed, timed } from "./calls.ts";
import { createOnPostgres } from "./on-postgres.ts";

const listings = 50;
const rows = 1_000;

interface Subject {
  made: Installation;
  env: Environment;
  remove(): Promise<void>;
}

const subjects: [string, () => Promise<Subject>][] = [
  [
    "the embedded database",
    async () => {
      const made = await createInstallation();
      return { made, env: {}, remove: async () => made.remove() };
    },
  ],
  [
    "PostgreSQL",
    async () => {
      const made = await createOnPostgres();
      return { made, env: { ...made.env(), SPAREKEY_DRAIN_SECONDS: "0" }, remove: made.drop };
    },
  ],
];

for (const [name, create] of subjects) {
  test(`${listings} listings of ${rows} on ${name}: some are refused, and every verification is answered`, async (t) => {
    const { made, env, remove } = await create();
    const server = await startServer(made.dataDir, env);
    t.after(async () => {
      await server.stop("SIGKILL");
      await remove();
    });
    const caller = createApiCaller(server.url, made);
    const { username, code } = await prepare(caller);
    const users = Array.from({ length: rows }, (_, n) => ({
      ...{ username: `reports.${n}`, email: `reports.${n}@example.com`, firstName: "Re", lastName: "Port" },
    }));
    assert.equal((await caller.admin("POST", "/api/v1/users", users)).body.created, rows);

    let listing = true;
    const headers = { authorization: authorizationOf(made.keyFile) };
    const list = async () => {
      const statuses: number[] = [];
      do {
        const answer = await fetch(`${server.url}/api/v1/audit/events?limit=${rows}`, { headers });
        // Read and not parsed: this process would be busier than the server.
        await answer.arrayBuffer();
        statuses.push(answer.status);
      } while (listing);
      return statuses;
    };
    const lists = Promise.all(Array.from({ length: listings }, list));
    const verified: Timed[] = [];
    for (let n = 0; n < 20; n++) {
      verified.push(await timed("verify", () => caller.client("POST", "/api/v1/verify", { user: username, code })));
    }
    listing = false;
    const statuses = (await lists).flat();
    t.diagnostic(`verified within ${Math.round(Math.max(...verified.map(({ ms }) => ms)))} ms`);
    for (const one of verified) {
      assertBounded(one);
      assert.deepEqual(one.answer.body, { accepted: true });
    }
    assert.deepEqual(new Set(statuses), new Set([200, 503]));
  });
}
