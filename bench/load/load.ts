/** Load from this process, in two kinds: as fast as answers come, or at a rate whatever the answers do. */
import { setTimeout as delay } from "node:timers/promises";
import { HttpConnection } from "./http-connection.ts";
import { type Exchange, Tally } from "./tally.ts";

export interface Load {
  /** Connections take turns at them. */
  ports: number[];
  connections: number;
  seconds: number;
  /** How long the load lasts before the measured time begins; 0 unless given. */
  settleSeconds?: number | undefined;
  next(): Exchange;
  signal: AbortSignal;
  /** The measured time begins once every connection stands at the earliest, and ends before they are given up. */
  onBegin(): void;
  onEnd(): void;
}

/** How long answers that are still under way at the end are waited for. */
const drainMs = 10_000;

/** Each connection sends the next request when the last is answered. */
export async function closedLoop(load: Load): Promise<Tally> {
  const tally = new Tally();
  return withConnections(load, tally, async (connections, { beginMs, endMs }) => {
    const isMeasured = (nowMs: number) => nowMs >= beginMs && nowMs < endMs;
    await Promise.all(
      connections.map(
        (connection) =>
          new Promise<void>((resolve) => {
            const send = () => {
              const sentMs = performance.now();
              if (sentMs >= endMs || load.signal.aborted) return resolve();
              const exchange = load.next();
              connection.send(exchange.request, (answer) => {
                const nowMs = performance.now();
                if (tally.check(answer, exchange) && isMeasured(nowMs)) tally.count(nowMs - sentMs);
                if (connection.isOpen) send();
                else resolve();
              });
            };
            send();
          }),
      ),
    );
  });
}

/** A timer comes this late, as a rule, without anything being wrong. */
const timerMs = 3;

/**
 * Sends `rate` requests a second. One that finds no free connection waits, and its wait is part of its time: a server that
 * falls behind is not spared.
 */
export async function openLoop(load: Load & { rate: number }): Promise<Tally> {
  const tally = new Tally();
  return withConnections(load, tally, async (connections, { endMs }) => {
    const queue = new RequestQueue(load, connections, tally);
    const beganMs = performance.now();
    let due = 0;
    for (let nowMs = beganMs; nowMs < endMs && !load.signal.aborted; nowMs = performance.now()) {
      for (; due < ((nowMs - beganMs) * load.rate) / 1_000; due += 1) {
        const dueMs = beganMs + (due * 1_000) / load.rate;
        queue.add(nowMs - dueMs < timerMs ? nowMs : dueMs);
      }
      await delay(1);
    }
    while (queue.isBusy) await delay(5);
  });
}

/** Requests that wait for a free connection, and those that have one. */
class RequestQueue {
  readonly #load: Load;
  readonly #tally: Tally;
  readonly #connections: HttpConnection[];
  readonly #idle: HttpConnection[];
  readonly #waitingSinceMs: number[] = [];

  constructor(load: Load, connections: HttpConnection[], tally: Tally) {
    this.#load = load;
    this.#tally = tally;
    this.#connections = connections;
    this.#idle = [...connections];
  }

  add(sinceMs: number) {
    this.#waitingSinceMs.push(sinceMs);
    const connection = this.#idle.pop();
    if (connection !== undefined) this.#serve(connection);
  }

  get isBusy(): boolean {
    const open = this.#connections.filter(({ isOpen }) => isOpen);
    return open.length > this.#idle.filter(({ isOpen }) => isOpen).length;
  }

  #serve(connection: HttpConnection) {
    const sinceMs = this.#waitingSinceMs.shift();
    if (sinceMs === undefined) return void this.#idle.push(connection);
    const exchange = this.#load.next();
    connection.send(exchange.request, (answer) => {
      if (this.#tally.check(answer, exchange)) this.#tally.count(performance.now() - sinceMs);
      if (connection.isOpen) this.#serve(connection);
    });
  }
}

interface MeasuredTime {
  beginMs: number;
  endMs: number;
}

async function withConnections(
  { ports, connections: count, seconds, settleSeconds = 0, signal, onBegin, onEnd }: Load,
  tally: Tally,
  run: (connections: HttpConnection[], time: MeasuredTime) => Promise<void>,
): Promise<Tally> {
  const opening = Array.from({ length: count }, (_, index) => HttpConnection.open(ports[index % ports.length] ?? 0));
  const connections = await Promise.all(opening);
  const close = () => {
    for (const connection of connections) connection.close();
  };
  signal.addEventListener("abort", close);
  const [settleMs, lastsMs] = [settleSeconds * 1_000, (settleSeconds + seconds) * 1_000];
  const timers = [setTimeout(onEnd, lastsMs), setTimeout(close, lastsMs + drainMs)];
  if (settleMs === 0) onBegin();
  else timers.push(setTimeout(onBegin, settleMs));
  try {
    const nowMs = performance.now();
    await run(connections, { beginMs: nowMs + settleMs, endMs: nowMs + lastsMs });
    signal.throwIfAborted();
    return tally;
  } finally {
    for (const timer of timers) clearTimeout(timer);
    signal.removeEventListener("abort", close);
    close();
  }
}
