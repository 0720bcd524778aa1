/** What keys are for. One key never serves two purposes. */

export const keyPurposes = ["code_pepper", "name_digest", "attempt_seal", "idempotency_seal"] as const;
export type KeyPurpose = (typeof keyPurposes)[number];

const hourMs = 60 * 60_000;

/**
 * How long what an older key made is still accepted once a new one is in use: as long as it may live.
 *
 * An old digest of a name is never compared with a new one, so its key ends at once. An attempt lives an hour
 * after its last message; one that is still going on when its key ends is over.
 */
export const defaultOverlapMs: Record<KeyPurpose, number> = {
  code_pepper: 7 * 24 * hourMs,
  name_digest: 0,
  attempt_seal: hourMs,
  idempotency_seal: 24 * hourMs,
};
