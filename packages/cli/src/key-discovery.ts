import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { CliError } from "./cli-error.ts";

const dataDirectory = "data";
// `sparekey-server init` names a key file after its access ID; other *.key files there are no one's to send.
const accessIdKey = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.key$/i;

/** The administrator's key file: the one given, or the only one in ./data. */
export function findKeyFile(given: string | undefined): string {
  if (given) return given;
  const names = existsSync(dataDirectory) ? readdirSync(dataDirectory).filter((name) => accessIdKey.test(name)) : [];
  const [only] = names;
  if (only && names.length === 1) return join(dataDirectory, only);
  if (only) {
    throw new CliError(`which key? ./${dataDirectory} holds ${names.length} key files`, {
      hint: "choose one with --key FILE or SPAREKEY_CLI_KEY",
    });
  }
  throw new CliError("no key file", {
    hint: "give one with --key FILE or SPAREKEY_CLI_KEY; sparekey-server init and keys create make them",
  });
}

/** The Authentication API key's file: the one given, or the one that `sparekey-server init` put into ./data. */
export function findAuthenticationKeyFile(given: string | undefined): string {
  if (given) return given;
  const path = join(dataDirectory, "authn-api.key");
  if (existsSync(path)) return path;
  throw new CliError("no Authentication API key", {
    hint: "give its file with --authn-key FILE or SPAREKEY_CLI_AUTHN_KEY",
  });
}
