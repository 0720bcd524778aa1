/** What a new code may be: the request, the company's settings, and the lock that overrides the request. */
import { type Lifetime, lifetimeMinutes, maxLifetimeMinutes, type Settings } from "@sparekey/contract";
import { addMs, type Instant } from "../platform/clock.ts";
import { Refusal } from "../platform/refusal.ts";

/** NIST SP 800-63B-4: after so many wrong codes in a row the code is void. Not a setting. */
export const maxConsecutiveFailures = 100;

export type SettingSource = "asked" | "default" | "lock";

/** What a request may ask for; what it leaves out is the company's. */
export interface AskedPolicy {
  lifetime?: Lifetime | undefined;
  oneTime?: boolean | undefined;
}

/** What holds for a code, and where each value came from. */
export interface EffectivePolicy {
  lifetime: Lifetime & { source: SettingSource };
  oneTime: { value: boolean; source: SettingSource };
  locked: boolean;
}

/** A request is checked even while the lock overrides it: a mistake does not become right by being ignored. */
export function resolvePolicy(asked: AskedPolicy, { onlineEmergencyCode: company }: Settings): EffectivePolicy {
  if (asked.lifetime !== undefined) checkLifetime(asked.lifetime);
  const sourceOf = (value: unknown): SettingSource => {
    if (company.locked) return "lock";
    return value === undefined ? "default" : "asked";
  };
  const companyLifetime = { value: company.expiryValue, unit: company.expiryUnit };
  return {
    lifetime: {
      ...(company.locked ? companyLifetime : (asked.lifetime ?? companyLifetime)),
      source: sourceOf(asked.lifetime),
    },
    oneTime: {
      value: company.locked ? company.oneTimeUse : (asked.oneTime ?? company.oneTimeUse),
      source: sourceOf(asked.oneTime),
    },
    locked: company.locked,
  };
}

export function expiryOf(lifetime: Lifetime, issuedAt: Instant): Instant {
  return addMs(issuedAt, lifetimeMinutes(lifetime) * 60_000);
}

function checkLifetime(lifetime: Lifetime) {
  const minutes = lifetimeMinutes(lifetime);
  if (!Number.isInteger(minutes) || minutes < 1 || minutes > maxLifetimeMinutes) {
    throw new Refusal("invalid_expiration", { answer: "The code must expire between 1 minute and 7 days from now." });
  }
}
