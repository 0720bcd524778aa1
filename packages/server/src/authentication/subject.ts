/** What an attempt must remember of its beginning, sealed: people type codes into name fields. */
import type { Keys } from "../keyring/service.ts";

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

export function sealSubject(subject: Subject, attemptId: string, keys: Keys): SealedSubject {
  return keys.seal("attempt_seal", contextOf(attemptId), Buffer.from(JSON.stringify(subject)));
}

/** Undefined once the key is retired: whoever the attempt was about, it is over. */
export function openSubject(sealed: SealedSubject, attemptId: string, keys: Keys): Subject | undefined {
  const plain = keys.open("attempt_seal", contextOf(attemptId), sealed);
  return plain && (JSON.parse(plain.toString()) as Subject);
}

function contextOf(attemptId: string): string {
  return JSON.stringify(["attempt/v1", attemptId]);
}
