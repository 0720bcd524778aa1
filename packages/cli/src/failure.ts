/** From whatever was thrown to `error:`, `hint:` and an exit code. */
import { type AnySparekeyErrorCode, SparekeyConnectionError, SparekeyError, SparekeyKeyError } from "@sparekey/sdk";
import { CommanderError } from "commander";
import { CliError } from "./cli-error.ts";
import { type Exit, exitCodes } from "./exit-codes.ts";
import { describe, printable } from "./printable.ts";
import { printError } from "./terminal.ts";

interface Advice {
  exit: Exit;
  hint?: string;
}

const otherKey = "this call needs a Super Administrator's key; give another one with --key";
const newKeyFile = "make a new key file with sparekey-server keys create";

/** One line for each code of the SDK; the compiler sees to it that none is missing. */
const advices: Record<AnySparekeyErrorCode, Advice> = {
  malformed_request: { exit: "usage" },
  invalid_expiration: { exit: "usage", hint: "a code lives from 1 minute to 7 days" },
  user_disabled: { exit: "conflict", hint: "enable the user first: sparekey users enable USER" },
  client_key_refused: { exit: "credentials", hint: "give the file of an Authentication API key with --authn-key" },
  token_refused: {
    exit: "credentials",
    hint: "see that the key is this server's, and that this machine's clock is right",
  },
  access_denied: { exit: "credentials", hint: otherKey },
  protected_user: { exit: "credentials", hint: otherKey },
  user_not_found: { exit: "notFound", hint: "USER is a username, alternate username, email or user id" },
  attempt_not_found: { exit: "notFound" },
  api_key_not_found: { exit: "notFound" },
  route_not_found: { exit: "failed", hint: "see that --server is the address of a Sparekey server" },
  method_not_allowed: { exit: "failed", hint: "see that --server is the address of a Sparekey server" },
  request_timeout: { exit: "busy" },
  login_name_taken: { exit: "conflict" },
  idempotency_in_progress: { exit: "busy", hint: "try again later, with the same key" },
  idempotency_expired: { exit: "conflict", hint: "issue again, with a new --idempotency-key or none" },
  idempotency_key_reused: { exit: "conflict", hint: "a key names one call; give this one another --idempotency-key" },
  too_many_api_keys: { exit: "conflict" },
  settings_changed: { exit: "conflict", hint: "someone else was faster; run the command again" },
  payload_too_large: { exit: "usage" },
  unsupported_media_type: { exit: "failed" },
  precondition_required: { exit: "failed" },
  too_many_requests: { exit: "busy", hint: "try again later" },
  headers_too_large: { exit: "failed" },
  internal_error: { exit: "failed", hint: "look for the request in the server's log" },
  unavailable: { exit: "busy", hint: "try again later" },
  unknown: { exit: "failed", hint: "see that --server is the address of a Sparekey server" },
  connection_failed: {
    exit: "unreachable",
    hint: "see that the server runs, and that --server or the key file names it",
  },
  timed_out: { exit: "unreachable", hint: "the server may have done it all the same; look before you repeat it" },
  key_file_not_json: { exit: "usage", hint: newKeyFile },
  key_file_incomplete: { exit: "usage", hint: newKeyFile },
  key_file_url_invalid: { exit: "usage", hint: newKeyFile },
  private_key_unreadable: { exit: "usage", hint: newKeyFile },
  client_key_invalid: { exit: "usage", hint: "the file holds the 64-character key and nothing else" },
  server_url_invalid: { exit: "usage", hint: "write it like https://codes.example.com" },
};

/** Tells the person at the terminal what went wrong and gives the number to leave with. */
export function reportFailure(error: unknown): number {
  // Commander has written its own lines already.
  if (error instanceof CommanderError) return exitCodes[error.exitCode === 0 ? "ok" : "usage"].number;
  if (error instanceof CliError)
    return report(error.message, { exit: error.exit, ...(error.hint && { hint: error.hint }) });
  if (error instanceof SparekeyError) return report(describeRefusal(error), adviceFor(error));
  if (error instanceof SparekeyConnectionError) return report(describeLoss(error), advices[error.code]);
  if (error instanceof SparekeyKeyError) return report(error.message, advices[error.code]);
  return reportBug(error);
}

/** Not 1, the number that Node would leave with: it means a refused code. */
function reportBug(error: unknown): number {
  const stack = error instanceof Error ? error.stack : undefined;
  const lines = (stack ?? String(error)).split("\n").map(printable);
  return report(`this is a bug in sparekey; please report it\n${lines.join("\n")}`, { exit: "failed" });
}

function report(message: string, { exit, hint }: Advice): number {
  printError(message, hint);
  return exitCodes[exit].number;
}

function describeRefusal(error: SparekeyError): string {
  const sentence = describe(error.detail ?? error.code);
  return error.status >= 500 && error.requestId ? `${sentence} (request ${describe(error.requestId)})` : sentence;
}

/** The vendor's wire has no codes: there, a 4xx that the SDK cannot name is told by its sentence alone. */
function adviceFor(error: SparekeyError): Advice {
  if (error.code !== "unknown") return advices[error.code];
  return error.status === 409 || error.status === 400 ? { exit: "conflict" } : advices.unknown;
}

/** Adds what the system said (`ECONNREFUSED`, `CERT_HAS_EXPIRED`): fetch hides it two causes deep. */
function describeLoss(error: SparekeyConnectionError): string {
  const cause = error.cause instanceof Error ? error.cause.cause : undefined;
  if (error.code === "timed_out" || !(cause instanceof Error)) return error.message;
  return `${error.message} (${"code" in cause ? String(cause.code) : cause.message})`;
}
