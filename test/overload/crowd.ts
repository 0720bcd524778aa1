/**
 * Many connections to one server, each of which sends its next request when the last was answered. Byte by byte, since
 * a client that is heavier than the server would measure itself.
 */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

export interface Crowd {
  /** Answers by status; 0 for a request that got none. */
  statuses: Map<number, number>;
  /** The slowest answer, once its connection stood. */
  maxMs: number;
}

export interface CrowdOptions {
  connections: number;
  /** For how long requests are sent. */
  forMs: number;
  /** Whether a refused client waits for a second, as `Retry-After` asks it to. */
  polite: boolean;
}

interface Target {
  url: string;
  clientKey: string;
  body: string;
}

/** Calls verify from so many connections at once. */
export async function callFromCrowd(target: Target, { connections, forMs, polite }: CrowdOptions): Promise<Crowd> {
  const { port } = new URL(target.url);
  const bytes = requestBytes(target);
  const crowd: Crowd = { statuses: new Map(), maxMs: 0 };
  const count = (status: number) => crowd.statuses.set(status, (crowd.statuses.get(status) ?? 0) + 1);
  const client = async () => {
    const socket = connect({ host: "127.0.0.1", port: Number(port), noDelay: true }).on("error", () => {});
    await once(socket, "connect").catch(() => {});
    const endMs = performance.now() + forMs;
    do {
      const startedMs = performance.now();
      const status = await exchange(socket, bytes);
      crowd.maxMs = Math.max(crowd.maxMs, performance.now() - startedMs);
      count(status);
      if (status === 0) break;
      if (polite && status !== 200) await delay(1_000);
    } while (performance.now() < endMs);
    socket.destroy();
  };
  await Promise.all(Array.from({ length: connections }, client));
  return crowd;
}

function requestBytes({ clientKey, body }: Target): string {
  const lines = ["POST /api/v1/verify HTTP/1.1", "host: localhost", `client-key: ${clientKey}`];
  return `${[...lines, "content-type: application/json", `content-length: ${body.length}`].join("\r\n")}\r\n\r\n${body}`;
}

/** The status of the answer, or 0 when the connection ends without one. Answers are small: one comes in one piece. */
function exchange(socket: Socket, bytes: string): Promise<number> {
  if (socket.destroyed) return Promise.resolve(0);
  return new Promise((resolve) => {
    const done = (status: number) => {
      socket.removeAllListeners("data").removeAllListeners("close");
      resolve(status);
    };
    socket.once("data", (data) => done(Number(data.toString("latin1", 9, 12)))).once("close", () => done(0));
    socket.write(bytes);
  });
}
