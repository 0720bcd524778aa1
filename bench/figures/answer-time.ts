/** What `answerTimeMs` costs, and what the time of an answer tells: whether there is such a user. */
import { setTimeout as delay } from "node:timers/promises";
import { wrongVerification } from "../load/calls.ts";
import { HttpConnection } from "../load/http-connection.ts";
import type { Sample } from "../load/measure.ts";
import type { Exchange } from "../load/tally.ts";
import type { Context } from "../rounds.ts";
import { momentsOf, welch } from "../statistics.ts";
import { verifyWith } from "./figures.ts";

/** Verification with the answer time that a company has unless it chose another. */
export interface OnTheBeatFigure {
  answerTimeMs: number;
  connections: number;
  rate: number;
  p50: number;
  p99: number;
  failures: Sample["failures"];
}

/** Wrong codes for users and for nobody: their answers are the same, and their times should not tell them apart. */
export interface UniformityFigure {
  answerTimeMs: number;
  answers: number;
  /** Welch's t. Beyond 4.5 either way, the two are told apart. */
  t: number;
  meanMs: { user: number; nobody: number };
}

export interface AnswerTimeFigures {
  onTheBeat: OnTheBeatFigure;
  /** With the default answer time, and with none. */
  uniformity: UniformityFigure[];
}

const defaultMs = 50;

export async function measureAnswerTime(context: Context, users: number): Promise<AnswerTimeFigures> {
  const { servers, installation } = context.database.subject(users);
  const port = servers[0]?.port ?? 0;
  const atOnce = await measureUniformity(context, users, 0);
  await installation.setAnswerTime(port, defaultMs);
  try {
    const connections = context.options.quick ? 64 : 256;
    const { rate, latencyMs, failures } = await verifyWith(context, users, connections);
    const { p50, p99 } = latencyMs;
    const onTheBeat = { answerTimeMs: defaultMs, connections, rate, p50, p99, failures };
    return { onTheBeat, uniformity: [await measureUniformity(context, users, defaultMs), atOnce] };
  } finally {
    await installation.setAnswerTime(port, 0);
  }
}

/** Wrong codes for each user, at the most: fewer than lock anybody out. */
const mostGuesses = 5;

/** Few at a time: what is looked for are microseconds of the server, not the queue before it. */
const connectionsByTime = (answerTimeMs: number) => (answerTimeMs === 0 ? 1 : 8);

async function measureUniformity(context: Context, users: number, answerTimeMs: number): Promise<UniformityFigure> {
  const { options, database, signal } = context;
  const { servers, installation } = database.subject(users);
  const { clientKey, population } = installation;
  const seconds = options.rounds * options.seconds;
  const times = { user: [] as number[], nobody: [] as number[] };
  let turn = 0;
  const endMs = performance.now() + seconds * 1_000;
  const ask = async (connection: HttpConnection) => {
    while (performance.now() < endMs && turn < mostGuesses * population.verified.length && !signal.aborted) {
      // Which of the two comes next is up to chance, so that neither always follows the other.
      const kind = Math.random() < 0.5 ? "user" : "nobody";
      const { username } = population.verified[turn++ % population.verified.length] as { username: string };
      const name = kind === "user" ? username : `${username.slice(0, -1)}x`;
      const tookMs = await timeOf(connection, wrongVerification(name, clientKey));
      times[kind].push(tookMs);
    }
  };
  const opening = Array.from({ length: connectionsByTime(answerTimeMs) }, () =>
    HttpConnection.open(servers[0]?.port ?? 0),
  );
  const connections = await Promise.all(opening);
  await Promise.all(connections.map(ask)).finally(() => {
    for (const connection of connections) connection.close();
  });
  signal.throwIfAborted();
  return {
    answerTimeMs,
    answers: times.user.length + times.nobody.length,
    t: welch(times.user, times.nobody),
    meanMs: { user: momentsOf(times.user).mean, nobody: momentsOf(times.nobody).mean },
  };
}

async function timeOf(connection: HttpConnection, { request, expected }: Exchange): Promise<number> {
  const sentMs = performance.now();
  const answer = await new Promise<{ status: number; body: string } | undefined>((resolve) => {
    connection.send(request, resolve);
  });
  const tookMs = performance.now() - sentMs;
  // The next one must not come at the beat of this one.
  await delay(Math.random() * 2);
  if (answer?.status !== 200 || !answer.body.includes(expected)) {
    throw new Error(`a wrong code was answered ${answer?.status ?? "not at all"}: ${answer?.body}`);
  }
  return tookMs;
}
