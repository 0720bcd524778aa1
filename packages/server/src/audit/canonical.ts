/**
 * The canonical form of a record: what is kept, and later hashed and signed.
 *
 * Names and addresses stay outside it, in a `personal` object of their own. The record holds only a
 * commitment to that object, so that erasing a person breaks no proof.
 */
import { createHmac } from "node:crypto";
import type { AuditAction } from "@sparekey/contract";
import canonicalize from "canonicalize";
import type { Instant } from "../platform/clock.ts";
import type { Principal } from "../principal.ts";

/** Values that a record may hold: flat JSON, never the code. */
export type Details = Record<string, string | number | boolean | null | readonly string[]>;

/** A record in its canonical form, version 1. */
export interface AuditRecord {
  v: 1;
  id: string;
  company: string;
  at: Instant;
  action: AuditAction;
  outcome: "success" | "refused";
  reason: string | null;
  actor: { kind: Principal["kind"]; id: string | null };
  user: string | null;
  request: string | null;
  details: Details;
  /** Base64url HMAC-SHA-256 under the salt, or null when nothing personal belongs to the record. */
  personal: string | null;
}

/** RFC 8785 JSON. */
export function canonicalJson(value: AuditRecord | Details): string {
  const json = canonicalize(value);
  if (json === undefined) throw new Error("a record must be JSON");
  return json;
}

/** Binds a record to its personal object without saying what is in it. `salt` is 32 random bytes. */
export function commitTo(salt: Buffer, personalJson: string): string {
  return createHmac("sha256", salt).update(personalJson).digest("base64url");
}
