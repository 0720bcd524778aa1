import type { ErrorCode } from "@sparekey/contract";

/** What goes with a refusal besides its code. */
export interface RefusalNote {
  /** Sent to the client in place of the code's title. */
  answer?: string;
  /** For the log alone. */
  detail?: string;
  /** Sent as `Retry-After`. */
  retryAfterSeconds?: number;
  /** What is wrong, in a permanent word that anybody may see. */
  reason?: string;
  /** Comes thousandfold or not at all, and is counted rather than logged. */
  inFloods?: boolean;
}

/**
 * Something that the service will not do, for a reason that has a permanent code.
 *
 * Thrown anywhere below a route and rendered once, in the shape of the wire it left by.
 * A wrong code is not a refusal: it is an answer.
 */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly code: ErrorCode;
  readonly note: RefusalNote;

  constructor(code: ErrorCode, note: RefusalNote = {}) {
    super(note.detail ?? note.answer ?? code);
    this.code = code;
    this.note = note;
  }
}
