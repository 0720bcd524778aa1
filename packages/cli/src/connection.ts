import {
  type AuthenticationClient,
  createAuthenticationClient,
  createSparekeyClient,
  type KeyFile,
  parseKeyFile,
  type SparekeyClient,
} from "@sparekey/sdk";
import { findAuthenticationKeyFile, findKeyFile } from "./key-discovery.ts";
import { readPrivateFile } from "./private-file.ts";
import { printWarning } from "./terminal.ts";

/** The options that every command has. */
export interface GlobalOptions {
  key?: string;
  server?: string;
  json?: boolean;
}

/** A client that acts with the administrator's key. */
export function connect({ key, server }: GlobalOptions): SparekeyClient {
  const keyFile = readKeyFile(key);
  warnOfPlainHttp(server ?? keyFile.adminRestApiUrl);
  return createSparekeyClient({ keyFile, ...(server !== undefined && { baseUrl: server }) });
}

/** A client that verifies codes. The administrator's key file only serves to name the server, if --server does not. */
export function connectToVerify({
  key,
  server,
  authnKey,
}: GlobalOptions & { authnKey?: string }): AuthenticationClient {
  const clientKey = readPrivateFile(findAuthenticationKeyFile(authnKey), "Authentication API key file");
  const serverUrl = server ?? readKeyFile(key).adminRestApiUrl;
  warnOfPlainHttp(serverUrl);
  return createAuthenticationClient({ serverUrl, clientKey });
}

function readKeyFile(given: string | undefined): KeyFile {
  return parseKeyFile(readPrivateFile(findKeyFile(given), "key file"));
}

function warnOfPlainHttp(serverUrl: string): void {
  const url = URL.canParse(serverUrl) ? new URL(serverUrl) : undefined;
  if (url?.protocol !== "http:" || /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname)) return;
  printWarning(`${url.host} is called without encryption: others on the way can read tokens and codes`, "use https");
}
