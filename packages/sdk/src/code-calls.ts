import type { EmergencyAccess, IssuedEmergencyCode, IssueEmergencyCode } from "@sparekey/contract";
import { type IssueOptions, idempotencyHeaders } from "./idempotency.ts";
import type { ServerUrls } from "./server-urls.ts";
import { pathSegment } from "./server-urls.ts";
import type { Send } from "./transport.ts";
import type { VendorCalls } from "./vendor-calls.ts";

/** Sparekey's own calls about one user's emergency code. `userId` is the id, never a login name. */
export interface CodeCalls {
  /**
   * Issues an emergency code, which replaces the user's old one at once.
   *
   * A lost connection is tried again by itself, and issues no second code. After a `SparekeyConnectionError` a code
   * may have been issued all the same: the call with the same `idempotencyKey` shows it, issuing anew ends it.
   * @param request lifetime from 1 minute to 7 days; what is left out is taken from the company's settings
   * @returns the plain code in `code`: it is never shown again
   * @throws SparekeyError `user_not_found`, `user_disabled`, `protected_user`, `invalid_expiration`, and for a key of
   * your own `idempotency_key_reused`, `idempotency_in_progress`, `idempotency_expired`
   */
  issue(userId: string, request?: IssueEmergencyCode, options?: IssueOptions): Promise<IssuedEmergencyCode>;
  /** Ends the user's code at once, online. No code to end is no error. @throws SparekeyError `user_not_found` */
  revoke(userId: string): Promise<void>;
  /** Whether the user could sign in with a code now, and why not. @throws SparekeyError `user_not_found` */
  access(userId: string): Promise<EmergencyAccess>;
  /** Ends a lock after too many wrong codes and clears their count. @throws SparekeyError `user_not_found` */
  unlock(userId: string): Promise<void>;
}

export function createCodeCalls(send: Send, urls: ServerUrls, vendor: VendorCalls): CodeCalls {
  const userUrl = (userId: string) => `${urls.own}/users/${pathSegment(userId)}`;
  return {
    async issue(userId, body = {}, options = {}) {
      const [url, headers] = [`${userUrl(userId)}/emergency-code`, idempotencyHeaders(options)];
      return (await send<IssuedEmergencyCode>({ method: "POST", url, headers, body, repeatable: true })).body;
    },
    async revoke(userId) {
      await send({ method: "DELETE", url: `${userUrl(userId)}/emergency-code` });
    },
    async access(userId) {
      return (await send<EmergencyAccess>({ method: "GET", url: `${userUrl(userId)}/emergency-access` })).body;
    },
    unlock: (userId) => vendor.unlockMethods(userId, ["EMERGENCY_TOKENCODE"]),
  };
}
