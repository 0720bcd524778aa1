/** The shapes in which the wires show what went wrong. Each shape is made here and nowhere else. */
import { STATUS_CODES } from "node:http";
import type { ErrorCode, Problem, VendorError, VendorGateError } from "@sparekey/contract";
import type { ErrorShape } from "./wire.ts";

/** RFC 9457, for Sparekey's own API. */
export const problemShape: ErrorShape = {
  contentType: "application/problem+json; charset=utf-8",
  render: ({ code, status, message, reason, requestId, title }): Problem => ({
    type: `urn:sparekey:error:${code}`,
    title,
    status,
    code,
    ...(message !== title && { detail: message }),
    ...(reason !== undefined && { reason }),
    requestId,
  }),
};

/** What the vendor's gate refuses before its API is reached, and the words it uses. */
const gateMessages: Partial<Record<ErrorCode, string>> = {
  token_refused: "Server failed to process provided access token",
  client_key_refused: "Server failed to process provided access token",
  access_denied: "Access is denied",
  protected_user: "Access is denied",
};

/** The vendor's two shapes: its gate's and its API's. */
export const vendorShape: ErrorShape = {
  contentType: "application/json; charset=utf-8",
  render: ({ code, status, message, path, epochMs }): VendorError | VendorGateError => {
    const gateMessage = gateMessages[code];
    const name = STATUS_CODES[status] ?? "Error";
    if (gateMessage !== undefined) return { timestamp: epochMs, status, error: name, message: gateMessage, path };
    return { code: `${status} ${vendorStatusName(name)}`, description: message };
  },
};

/** `Not Found` as the vendor writes it: `NOT_FOUND`. */
function vendorStatusName(name: string): string {
  return name.toUpperCase().replace(/[^A-Z]+/g, "_");
}
