import type { ErrorCode } from "@sparekey/contract";

/**
 * Why a server refused: a permanent code of the contract, or `unknown` when the answer carried none that
 * this version knows. On the vendor's wire a refusal carries its status only, so `status` says more there.
 */
export type SparekeyErrorCode = ErrorCode | "unknown";

/** What came with a refusal besides its code. */
export interface RefusalFacts {
  status: number;
  detail?: string | undefined;
  requestId?: string | undefined;
  retryAfterSeconds?: number | undefined;
}

/**
 * The server answered, and the answer was no (or was nothing this client can read).
 *
 * A wrong emergency code is not an error: `verify` answers `{ accepted: false }`.
 */
export class SparekeyError extends Error {
  override readonly name = "SparekeyError";
  /** Permanent; switch over this one. */
  readonly code: SparekeyErrorCode;
  /** HTTP status of the answer. */
  readonly status: number;
  /** The server's own sentence about this request, in English. It never holds a code, key or token. */
  readonly detail: string | undefined;
  /** Finds the request in the server's log and record. */
  readonly requestId: string | undefined;
  /** What `Retry-After` asked for, in seconds, when the client did not wait that long. */
  readonly retryAfterSeconds: number | undefined;

  constructor(code: SparekeyErrorCode, facts: RefusalFacts) {
    super(`${facts.detail ?? code} (${code}, status ${facts.status})`);
    this.code = code;
    this.status = facts.status;
    this.detail = facts.detail;
    this.requestId = facts.requestId;
    this.retryAfterSeconds = facts.retryAfterSeconds;
  }
}

/** `connection_failed`: no answer, or half of one. `timed_out`: none in time. */
export type ConnectionErrorCode = "connection_failed" | "timed_out";

/**
 * No answer arrived. Whether the server carried the request out is then unknown, so only reads and calls with an
 * idempotency key are tried again by themselves; after any other call, look before you repeat it.
 */
export class SparekeyConnectionError extends Error {
  override readonly name = "SparekeyConnectionError";
  /** Permanent; switch over this one. */
  readonly code: ConnectionErrorCode;

  constructor(message: string, options: { code: ConnectionErrorCode; cause?: unknown }) {
    super(message, { cause: options.cause });
    this.code = options.code;
  }
}

/** What is wrong with a key that was handed to this library. */
export type KeyErrorCode =
  | "key_file_not_json"
  | "key_file_incomplete"
  | "key_file_url_invalid"
  | "private_key_unreadable"
  | "client_key_invalid"
  | "server_url_invalid";

/**
 * A key file, key or address that cannot be used. Found before anything is sent.
 *
 * It carries no cause on purpose: the messages of `JSON.parse` and of WebCrypto quote what they were given.
 */
export class SparekeyKeyError extends Error {
  override readonly name = "SparekeyKeyError";
  /** Permanent; switch over this one. */
  readonly code: KeyErrorCode;

  constructor(code: KeyErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** Everything that this library throws on purpose; anything else is a bug or a wrong argument (`TypeError`). */
export type AnySparekeyError = SparekeyError | SparekeyConnectionError | SparekeyKeyError;

/** Every code that {@link AnySparekeyError} can carry. */
export type AnySparekeyErrorCode = AnySparekeyError["code"];
