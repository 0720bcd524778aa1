interface CommandErrorOptions {
  hint: string;
  exitCode: keyof typeof exitCodes;
  cause?: unknown;
}

/** Something that keeps a command from doing its work, told so that the reader knows what to do next. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  readonly hint: string;
  readonly exitCode: number;

  constructor(message: string, { hint, exitCode, cause }: CommandErrorOptions) {
    super(message, { cause });
    this.hint = hint;
    this.exitCode = exitCode;
  }
}

/** Documented in `sparekey-server --help`. */
export const exitCodes = {
  1: "an unexpected error",
  2: "wrong options or configuration",
  3: "the data directory is missing, already initialised, in use, moved, or from a newer version",
  4: "there is no root key, or it does not fit the database",
  5: "the address or port cannot be listened on",
  6: "the database cannot be used",
  7: "the database went back to an earlier state",
  8: "the backup is damaged",
} as const;
