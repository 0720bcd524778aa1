/** What administrators do. */
import type { Lifetime, Settings } from "@sparekey/contract";
import { asAdministrator, type Callers, placeCall } from "./callers.ts";
import type { Dice } from "./dice.ts";
import { msAt, type SimulatedNode } from "./node.ts";

const lifetimes: readonly Lifetime[] = [
  { value: 1, unit: "minutes" },
  { value: 10, unit: "minutes" },
  { value: 2, unit: "hours" },
  { value: 7, unit: "days" },
];

export function createUser(callers: Callers, node: SimulatedNode, username: string) {
  return placeCall(callers, node, { kind: "user.create", about: username }, async (call) => {
    const input = { username, email: `${username}@example.com`, firstName: "Test", lastName: "User" };
    const { user } = await node.services.users.upsert(asAdministrator(call), input);
    call.facts.userId = user.id;
    callers.users.push({ id: user.id, username });
    return { is: "done" };
  });
}

export function issue(callers: Callers, node: SimulatedNode, userId: string, oneTime?: boolean) {
  const { dice, codes } = callers;
  const lifetime = dice.chance(0.3) ? undefined : dice.pick(lifetimes);
  const about = `${userName(callers, userId)}${oneTime ? " once" : ""}`;
  return placeCall(callers, node, { kind: "issue", about, facts: { userId } }, async (call) => {
    const issued = await node.services.codes.issue(asAdministrator(call), userId, { lifetime, oneTime });
    call.facts.codeId = issued.id;
    call.about += ` ${issued.id.slice(0, 8)}`;
    codes.push({ id: issued.id, userId, plain: issued.code, expiresAtMs: msAt(issued.expiresAt) });
    return { is: "done" };
  });
}

export function revoke(callers: Callers, node: SimulatedNode, userId: string) {
  return administer(callers, node, userId, "revoke", ({ services }, call) => services.codes.revoke(call, userId));
}

export function unlock(callers: Callers, node: SimulatedNode, userId: string) {
  return administer(callers, node, userId, "unlock", ({ services }, call) => services.codes.unlock(call, userId));
}

export function enable(callers: Callers, node: SimulatedNode, userId: string) {
  return administer(callers, node, userId, "enable", ({ services }, call) =>
    services.users.setStatus(call, userId, "enabled"),
  );
}

export function disable(callers: Callers, node: SimulatedNode, userId: string) {
  return administer(callers, node, userId, "disable", ({ services }, call) =>
    services.users.setStatus(call, userId, "disabled"),
  );
}

function administer(
  callers: Callers,
  node: SimulatedNode,
  userId: string,
  kind: "revoke" | "unlock" | "enable" | "disable",
  work: (node: SimulatedNode, call: ReturnType<typeof asAdministrator>) => Promise<void>,
) {
  const order = { kind, about: userName(callers, userId), facts: { userId } };
  return placeCall(callers, node, order, async (call) => {
    await work(node, asAdministrator(call));
    return { is: "done" };
  });
}

export function changeSettings(callers: Callers, node: SimulatedNode, change: (settings: Settings) => void) {
  return placeCall(callers, node, { kind: "settings.change", about: "" }, async (call) => {
    const { settings } = node.services;
    const { version, settings: before } = await settings.latest();
    const after = structuredClone(before);
    change(after);
    call.about = `to ${after.lockout.tries} tries, ${after.attemptTries} an attempt`;
    call.facts.settings = after;
    call.facts.version = (await settings.replace(asAdministrator(call), version, after)).version;
    return { is: "done" };
  });
}

/** Another limit, lock, lifetime or number of tries in an attempt. */
export function anyChange(dice: Dice): (settings: Settings) => void {
  const what = dice.weighted({ tries: 5, lock: 1, lifetime: 1, attempt: 2 });
  const tries = 1 + dice.below(6);
  const lockMinutes = dice.pick([1, 30]);
  const locked = dice.chance(0.3);
  const lifetime = dice.pick(lifetimes);
  return (settings) => {
    if (what === "tries") settings.lockout.tries = tries;
    if (what === "lock") settings.lockout.lockMinutes = lockMinutes;
    if (what === "attempt") settings.attemptTries = Math.min(tries, 4);
    if (what === "lifetime") {
      const { value: expiryValue, unit: expiryUnit } = lifetime;
      Object.assign(settings.onlineEmergencyCode, { expiryValue, expiryUnit, locked, oneTimeUse: locked });
    }
  };
}

export function createKey(callers: Callers, node: SimulatedNode) {
  return placeCall(callers, node, { kind: "key.create", about: "" }, async (call) => {
    const { id, clientKey } = await node.services.authnKeys.create(asAdministrator(call), "key");
    call.facts.keyId = id;
    call.about = id.slice(0, 8);
    callers.keys.push({ id, clientKey });
    return { is: "done" };
  });
}

export function deleteKey(callers: Callers, node: SimulatedNode, keyId: string) {
  const order = { kind: "key.delete", about: keyId.slice(0, 8), facts: { keyId } } as const;
  return placeCall(callers, node, order, async (call) => {
    await node.services.authnKeys.delete(asAdministrator(call), keyId);
    return { is: "done" };
  });
}

function userName({ users }: Callers, userId: string): string {
  return users.find(({ id }) => id === userId)?.username ?? "nobody";
}
