import type { Exit } from "./exit-codes.ts";

/** A reason to stop that this program found by itself, told as `error:` and `hint:`. */
export class CliError extends Error {
  override readonly name = "CliError";
  readonly exit: Exit;
  readonly hint: string | undefined;

  /** `message` and `hint` begin in lower case and end without a full stop. */
  constructor(message: string, options: { exit?: Exit; hint?: string; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.exit = options.exit ?? "usage";
    this.hint = options.hint;
  }

  /** A file that the system does not let us read. */
  static unreadable(what: string, cause: unknown): CliError {
    const reason = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown reason";
    return new CliError(`cannot read ${what} (${reason})`, { cause });
  }
}
