/** Where a server's calls live, from the one address that a key file or an administrator gives. */
import { type KeyErrorCode, SparekeyKeyError } from "./errors.ts";

const adminPath = "/AdminInterface/restapi";

/** Addresses under which one installation answers; none ends with a slash. */
export interface ServerUrls {
  /** Base of the vendor's calls; `/v1` and `/v2` follow. */
  admin: string;
  /** Base of Sparekey's own calls. */
  own: string;
  /** Base of the Authentication API. */
  authentication: string;
}

/**
 * The administration base address without a final slash and without `/v1`: what the vendor calls the
 * audience of a token.
 *
 * The text is kept as it is (no lower case, no default port dropped), because servers compare it exactly.
 *
 * @throws SparekeyKeyError `key_file_url_invalid`
 */
export function adminBaseUrl(adminRestApiUrl: string): string {
  checkUrl(adminRestApiUrl, "key_file_url_invalid");
  const base = withoutSlash(withoutSlash(adminRestApiUrl).replace(/\/v1$/, ""));
  if (!base.endsWith(adminPath)) {
    throw new SparekeyKeyError("key_file_url_invalid", `adminRestApiUrl does not end with ${adminPath}/`);
  }
  return base;
}

/**
 * All addresses of a server, given its root (`https://codes.example.com`) or its administration base address.
 *
 * @throws SparekeyKeyError `server_url_invalid`
 */
export function serverUrls(address: string): ServerUrls {
  checkUrl(address, "server_url_invalid");
  const base = withoutSlash(withoutSlash(address).replace(/\/v1$/, ""));
  const root = base.endsWith(adminPath) ? base.slice(0, -adminPath.length) : withoutSlash(address);
  return { admin: root + adminPath, own: `${root}/api/v1`, authentication: `${root}/mfa/v1_1` };
}

/**
 * A user's or a code's id as one segment of a path.
 *
 * `.` and `..` survive percent-encoding: every URL parser resolves them, and the call would reach another route.
 */
export function pathSegment(id: string): string {
  if (id === "" || id === "." || id === "..") throw new TypeError(`not an id: ${JSON.stringify(id)}`);
  return encodeURIComponent(id);
}

function checkUrl(text: string, code: KeyErrorCode): void {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const web = url?.protocol === "https:" || url?.protocol === "http:";
  if (!url || !web || url.username !== "" || url.password !== "" || /[?#\s]/.test(text)) {
    throw new SparekeyKeyError(code, "the server's address is not a plain http or https URL");
  }
}

function withoutSlash(text: string): string {
  return text.replace(/\/+$/, "");
}
