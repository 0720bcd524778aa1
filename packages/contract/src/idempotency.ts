/** The two headers with which a call may be sent again and is done once: `Idempotency-Key`, and the mark of a repeat. */

/** Names of headers, as programs see them. */
export const idempotencyKeyHeader = "idempotency-key";
/** `true` on an answer that was given before. */
export const idempotencyReplayedHeader = "idempotency-replayed";

/** What a client may choose as a key: 16 to 255 printable ASCII characters. A UUID is a good one. */
export const idempotencyKeyPattern: RegExp = /^[\x20-\x7e]{16,255}$/;
