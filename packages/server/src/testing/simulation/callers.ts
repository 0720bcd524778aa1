/** Those who call the nodes: what they know, and how a call of theirs becomes part of the history. */
import { DatabaseUnavailable } from "../../platform/database/database.ts";
import { Refusal } from "../../platform/refusal.ts";
import type { Administrator, Call } from "../../principal.ts";
import type { Dice } from "./dice.ts";
import { type Answer, type CallKind, callUnderWay, type Facts, type HistoryCall } from "./history.ts";
import type { World } from "./link.ts";
import type { SimulatedNode } from "./node.ts";

/** A code that somebody was told. */
export interface KnownCode {
  id: string;
  userId: string;
  plain: string;
  expiresAtMs: number;
}

export interface KnownKey {
  id: string;
  clientKey: string;
}

export interface KnownAttempt {
  id: string;
  userId: string;
  key: KnownKey;
  /** The latest message of the server that was heard, and those before it. */
  messages: string[];
}

export interface Callers {
  world: World;
  /** For who does what. */
  dice: Dice;
  /** Those that are alive. */
  nodes: SimulatedNode[];
  users: { id: string; username: string }[];
  codes: KnownCode[];
  keys: KnownKey[];
  attempts: KnownAttempt[];
}

type Work = (call: HistoryCall) => Promise<Answer>;

/** Has a node do something and writes down what was asked, when, and what was answered. */
export async function placeCall(
  { world }: Callers,
  node: SimulatedNode,
  { kind, about, facts = {} }: { kind: CallKind; about: string; facts?: Facts },
  work: Work,
): Promise<HistoryCall> {
  const { scheduler, history, weather } = world;
  const call: HistoryCall = {
    ...{ id: `call-${history.calls.length + 1}`, kind, node: node.name, about, facts, calm: weather.calm },
    ...{ startedAt: scheduler.moment(), endedAt: Number.POSITIVE_INFINITY },
    ...{ startedMs: scheduler.nowMs, endedMs: Number.POSITIVE_INFINITY },
    ...{ answer: { is: "lost" }, lostAcknowledgement: false },
  };
  history.calls.push(call);
  const died = node.died.then((): Answer => ({ is: "lost" }));
  const answer = await Promise.race([died, callUnderWay.run(call, () => answerOf(work, call))]);
  return Object.assign(call, { answer, endedAt: scheduler.moment(), endedMs: scheduler.nowMs });
}

async function answerOf(work: Work, call: HistoryCall): Promise<Answer> {
  try {
    return await work(call);
  } catch (error) {
    if (error instanceof DatabaseUnavailable) return { is: "unavailable" };
    if (error instanceof Refusal && error.code === "unavailable") return { is: "unavailable" };
    if (error instanceof Refusal) return { is: "refused", code: error.code };
    return { is: "bug", error: String(error) };
  }
}

export function asAdministrator({ id }: HistoryCall): Call<Administrator> {
  return {
    principal: { kind: "administrator", id: "admin", role: "Super Administrator" },
    requestId: id,
    address: null,
  };
}
