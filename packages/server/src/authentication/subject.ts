/** What an attempt must remember of its beginning, sealed: people type codes into name fields. */
import type { Keyring } from "../keyring/service.ts";

export interface Subject {
  /** As typed. */
  name: string;
  policyId: string | null;
  sessionAttributes: Record<string, unknown>[];
}

/** What is stored of it. */
export interface SealedSubject {
  sealed: string;
  kid: string;
}

export function sealSubject(subject: Subject, attemptId: string, keyring: Keyring): SealedSubject {
  return keyring.seal("attempt_seal", contextOf(attemptId), Buffer.from(JSON.stringify(subject)));
}

export function openSubject(sealed: SealedSubject, attemptId: string, keyring: Keyring): Subject {
  return JSON.parse(keyring.open("attempt_seal", contextOf(attemptId), sealed).toString()) as Subject;
}

function contextOf(attemptId: string): string {
  return JSON.stringify(["attempt/v1", attemptId]);
}
