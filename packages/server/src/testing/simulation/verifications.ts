/** What people do who want to get in, by every way in. */
import type { AuthnAnswer } from "@sparekey/contract";
import { generateCode } from "../../emergency-codes/code.ts";
import type { AuthenticationClient, Call } from "../../principal.ts";
import { type Callers, type KnownAttempt, type KnownCode, placeCall } from "./callers.ts";
import { randomFrom } from "./dice.ts";
import type { Answer, Facts, HistoryCall } from "./history.ts";
import type { SimulatedNode } from "./node.ts";

/** What is typed. */
export type Typing = "right" | "old" | "wrong" | "slip" | "foreign";

const methodId = "EMERGENCY_TOKENCODE";

export function verify(callers: Callers, node: SimulatedNode, userId: string, typing: Typing) {
  const { text, facts, about } = typed(callers, userId, typing);
  const key = callers.dice.pick(callers.keys);
  return placeCall(callers, node, { kind: "verify", about, facts: { ...facts, keyId: key.id } }, (call) =>
    asClient(node, key.clientKey, call, async (client) => {
      const { codes } = node.services;
      const { accepted } = await codes.verify(client, { user: nameOf(callers, userId), code: text });
      return { is: accepted ? "accepted" : "not_accepted" };
    }),
  );
}

/** Begins an attempt, with a code in the same call or without. */
export function beginAttempt(callers: Callers, node: SimulatedNode, userId: string, typing: Typing | undefined) {
  const { dice, keys, attempts } = callers;
  const { text, facts, about } =
    typing === undefined ? { text: undefined, facts: { userId }, about: "" } : typed(callers, userId, typing);
  const key = dice.pick(keys);
  const keepAttempt = dice.chance(0.3);
  const order = { kind: "attempt.begin", about, facts: { ...facts, keyId: key.id } } as const;
  return placeCall(callers, node, order, (call) =>
    asClient(node, key.clientKey, call, async (client) => {
      const answer = await node.services.authentication.initialize(client, {
        subjectName: nameOf(callers, userId),
        context: { messageId: call.id },
        keepAttempt,
        ...(text !== undefined && { subjectCredentials: credentials(text) }),
      });
      const { authnAttemptId: id, messageId } = answer.context;
      call.facts.attemptId = id;
      const isOpen = answer.attemptResponseCode === "CHALLENGE";
      if (isOpen) attempts.push({ id, userId, key, messages: [messageId] });
      return text === undefined ? { is: "done" } : meaningOf(answer);
    }),
  );
}

export function verifyAttempt(callers: Callers, node: SimulatedNode, attempt: KnownAttempt, typing: Typing) {
  const { dice, keys } = callers;
  const { text, facts, about } = typed(callers, attempt.userId, typing);
  // Somebody answers an old message now and then, or is another client.
  const inResponseTo = dice.chance(0.9) ? attempt.messages.at(-1) : dice.pick(attempt.messages);
  const key = dice.chance(0.97) ? attempt.key : dice.pick(keys);
  const context = { authnAttemptId: attempt.id, messageId: "request", inResponseTo: inResponseTo ?? "" };
  const order = {
    kind: "attempt.verify",
    about: `${about} in ${attempt.id.slice(0, 8)}`,
    facts: { ...facts, keyId: key.id, attemptId: attempt.id, inResponseTo: context.inResponseTo },
  } as const;
  return placeCall(callers, node, order, (call) =>
    asClient(node, key.clientKey, call, async (client) => {
      const request = { context, subjectCredentials: credentials(text) };
      const answer = await node.services.authentication.verify(client, request);
      attempt.messages.push(answer.context.messageId);
      return meaningOf(answer);
    }),
  );
}

export function cancelAttempt(callers: Callers, node: SimulatedNode, { id, key, userId }: KnownAttempt) {
  const order = { kind: "attempt.cancel", about: id.slice(0, 8), facts: { userId, attemptId: id } } as const;
  return placeCall(callers, node, order, (call) =>
    asClient(node, key.clientKey, call, async (client) => {
      await node.services.authentication.cancel(client, { authnAttemptId: id });
      return { is: "done" };
    }),
  );
}

export function removeExpiredAttempts(callers: Callers, node: SimulatedNode) {
  return placeCall(callers, node, { kind: "attempt.clean", about: "" }, async () => {
    await node.services.authentication.removeExpired();
    return { is: "done" };
  });
}

async function asClient(
  node: SimulatedNode,
  clientKey: string,
  { id }: HistoryCall,
  work: (client: Call<AuthenticationClient>) => Promise<Answer>,
): Promise<Answer> {
  const principal = await node.services.authnKeys.authenticate(clientKey);
  if (principal === undefined) return { is: "refused", code: "client_key_refused" };
  return work({ principal, requestId: id, address: null });
}

function meaningOf({ attemptResponseCode, credentialValidationResults: [result] }: AuthnAnswer): Answer {
  if (attemptResponseCode === "ERROR") return { is: "stale" };
  const both = `${attemptResponseCode} ${result?.methodResponseCode}`;
  if (both === "SUCCESS SUCCESS") return { is: "accepted" };
  if (both === "CHALLENGE FAIL" || both === "FAIL FAIL") return { is: "not_accepted" };
  return { is: "bug", error: `an answer that means nothing: ${both}` };
}

function credentials(text: string) {
  return [{ methodId, collectedInputs: [{ name: methodId, value: text }] }];
}

function nameOf({ users }: Callers, userId: string): string {
  return users.find(({ id }) => id === userId)?.username ?? "nobody";
}

function typed(callers: Callers, userId: string, typing: Typing): { text: string; facts: Facts; about: string } {
  const { dice, codes } = callers;
  const own = codes.filter((code) => code.userId === userId);
  const others = codes.filter((code) => code.userId !== userId);
  const source = { right: own.slice(-1), old: own.slice(0, -1), wrong: [], slip: own.slice(-1), foreign: others };
  const from = source[typing];
  const code: KnownCode | undefined = from.length === 0 ? undefined : dice.pick(from);
  const about = `${nameOf(callers, userId)} ${code === undefined ? "wrong" : `${typing} ${code.id.slice(0, 8)}`}`;
  if (code === undefined) return { text: wrongCode(callers), facts: { userId, typed: null }, about };
  const asItIs = typing !== "slip";
  const facts = { userId, typed: { codeId: code.id, userId: code.userId, asItIs } };
  return { text: asItIs ? code.plain : withSlip(code.plain), facts, about };
}

function wrongCode({ dice }: Callers): string {
  return generateCode({ alphabet: "symbols", length: 10 }, randomFrom(dice));
}

function withSlip(plain: string): string {
  return plain.slice(0, -1) + (plain.endsWith("7") ? "8" : "7");
}
