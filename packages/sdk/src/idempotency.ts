/** The name that an issuing call gets, so that sending it again issues nothing. */
import { idempotencyKeyHeader, idempotencyKeyPattern } from "@sparekey/contract";

/** How an issuing call is sent. */
export interface IssueOptions {
  /**
   * Names this call: 16 to 255 printable ASCII characters, of the caller's choice and never used for another call.
   *
   * Each call gets a random one by itself, for the tries of this one call. Give your own, and keep it, to be able to
   * repeat the call after this process is gone: for ten minutes the answer is the first one, the same code included.
   */
  idempotencyKey?: string;
}

/** As the string of RFC 9651 that the header's draft asks for; spaces at its ends arrive, too. */
export function idempotencyHeaders({ idempotencyKey = crypto.randomUUID() }: IssueOptions): Record<string, string> {
  if (!idempotencyKeyPattern.test(idempotencyKey)) {
    throw new TypeError("an idempotency key is 16 to 255 printable ASCII characters");
  }
  return { [idempotencyKeyHeader]: `"${idempotencyKey.replace(/["\\]/g, "\\$&")}"` };
}
