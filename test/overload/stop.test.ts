/** A single node on the embedded database is stopped under load: whatever it let in is answered, and in the record. */
import assert from "node:assert/strict";
import { Agent, request } from "node:http";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { createApiCaller } from "../api-caller.ts";
import { createInstallation, type Installation, startServer } from "../server-process.ts";
import { prepare } from "./calls.ts";

let made: Installation;
before(async () => {
  made = await createInstallation();
});
after(() => made.remove());

interface Client {
  answered: number;
  /** What became of its last request: the server said that it was the last, or let the connection down. */
  end: "closed in order" | "lost";
}

/** One connection that sends the next request when the last is answered, until the server ends the connection. */
function useUp(url: string, clientKey: string, body: string): Promise<Client> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const { hostname: host, port } = new URL(url);
  const headers = { "client-key": clientKey, "content-type": "application/json" };
  const client: Client = { answered: 0, end: "lost" };
  return new Promise((resolve) => {
    const send = () => {
      const sent = request({ agent, host, port, path: "/api/v1/verify", method: "POST", headers }, (answer) => {
        answer.resume().on("end", () => {
          if (answer.statusCode !== 200) return resolve(client);
          client.answered++;
          if (answer.headers.connection !== "close") return setImmediate(send);
          client.end = "closed in order";
          resolve(client);
        });
      });
      sent.on("error", () => resolve(client));
      sent.end(body);
    };
    send();
  });
}

test("SIGTERM under load: every connection is told of its last answer, and none is cut", async (t) => {
  const server = await startServer(made.dataDir, { SPAREKEY_DRAIN_SECONDS: "1" });
  t.after(() => server.stop("SIGKILL"));
  const { username, code } = await prepare(createApiCaller(server.url, made), 50);
  const body = JSON.stringify({ user: username, code });
  const clients = Array.from({ length: 64 }, () => useUp(server.url, made.clientKey, body));
  await delay(1_000);
  const ended = server.stop("SIGTERM");
  const results = await Promise.all(clients);
  assert.equal((await ended).exitCode, 0);
  assert.deepEqual(new Set(results.map(({ end }) => end)), new Set(["closed in order"]));
  const answered = results.reduce((sum, client) => sum + client.answered, 0);
  assert.ok(answered >= 64);

  const next = await startServer(made.dataDir);
  t.after(() => next.stop("SIGKILL"));
  const caller = createApiCaller(next.url, made);
  let recorded = 0;
  for (let cursor = 0; ; ) {
    const page = await caller.admin(
      "GET",
      `/api/v1/audit/events?action=emergency_code.verified&after=${cursor}&limit=1000`,
    );
    recorded += page.body.events.length;
    if (page.body.events.length === 0) break;
    cursor = page.body.cursor;
  }
  assert.equal(recorded, answered);
});
