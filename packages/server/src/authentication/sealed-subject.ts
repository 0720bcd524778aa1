/** What an attempt must remember of its beginning, sealed under a key of the keyring. */
import type { Key, Keyring } from "../keyring/service.ts";
import { open, seal } from "../keyring/service.ts";
import type { Random } from "../platform/random.ts";

export interface Subject {
  /** As typed. */
  name: string;
  policyId: string | null;
  sessionAttributes: Record<string, unknown>[];
}

export interface SealedSubject {
  sealed: string;
  sealKid: string;
}

export function sealSubject(subject: Subject, attemptId: string, key: Key, random: Random): SealedSubject {
  return { sealed: seal(key.bytes, contextOf(attemptId), Buffer.from(JSON.stringify(subject)), random), sealKid: key.kid };
}

export function openSubject({ sealed, sealKid }: SealedSubject, attemptId: string, keyring: Keyring): Subject {
  const key = keyring.find("attempt_seal", sealKid);
  if (key === undefined) throw new Error(`attempt ${attemptId} is sealed under a key that is gone`);
  return JSON.parse(open(key.bytes, contextOf(attemptId), sealed).toString()) as Subject;
}

function contextOf(attemptId: string): string {
  return JSON.stringify(["attempt/v1", attemptId]);
}
