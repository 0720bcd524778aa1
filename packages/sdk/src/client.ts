import type { KeyFile } from "@sparekey/contract";
import { createAccessTokenSource } from "./access-token.ts";
import { type AuditCalls, createAuditCalls } from "./audit-calls.ts";
import { type CodeCalls, createCodeCalls } from "./code-calls.ts";
import { serverUrls } from "./server-urls.ts";
import { createSettingsCalls, type SettingsCalls } from "./settings-calls.ts";
import { createTransport, type TransportOptions, wait } from "./transport.ts";
import { createUserCalls, type UserCalls } from "./user-calls.ts";
import { createVendorCalls, type VendorCalls } from "./vendor-calls.ts";

/** How to make a client for administrators. */
export interface SparekeyClientOptions extends TransportOptions {
  /** What `parseKeyFile` read. */
  keyFile: KeyFile;
  /**
   * Where to send the calls when that is not where the key file says (a tunnel, an address inside the cluster):
   * the server's root or its administration base address. Tokens stay made out to the key file's address.
   */
  baseUrl?: string;
}

/** An administrator's client. Every call throws `SparekeyError` or `SparekeyConnectionError`. */
export interface SparekeyClient {
  /** The vendor's calls: the same against RSA ID Plus and Sparekey. */
  vendor: VendorCalls;
  /** Users (Sparekey's own). */
  users: UserCalls;
  /** Emergency codes (Sparekey's own). */
  codes: CodeCalls;
  /** The company's settings (Sparekey's own). */
  settings: SettingsCalls;
  /** The audit record (Sparekey's own). */
  audit: AuditCalls;
}

/**
 * A client that acts with an administrator's API key. It signs its own tokens and reuses each for half an hour.
 *
 * A busy server (429, 503) is asked again as its `Retry-After` says, at most `maxRetries` times (4) and
 * `maxRetryWaitMs` in all (120,000). A lost connection is tried again for reads, and for `codes.issue`, which a
 * server does once however often it arrives.
 *
 * @throws SparekeyKeyError when the key file's or the given address is not usable; a bad private key shows at the first call
 */
export function createSparekeyClient(options: SparekeyClientOptions): SparekeyClient {
  const token = createAccessTokenSource(options.keyFile, options.now ?? Date.now);
  const urls = serverUrls(options.baseUrl ?? options.keyFile.adminRestApiUrl);
  const credentials = async () => ({ authorization: `Bearer ${await token()}` });
  const send = createTransport({ credentials, meanings: { 403: "access_denied", 404: "user_not_found" } }, options);
  const vendor = createVendorCalls(send, urls);
  return {
    vendor,
    users: createUserCalls(send, urls),
    codes: createCodeCalls(send, urls, vendor),
    settings: createSettingsCalls(send, urls),
    audit: createAuditCalls(send, urls, options.sleep ?? wait),
  };
}
