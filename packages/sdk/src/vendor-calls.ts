import type {
  EmergencyTokencodeV1,
  EmergencyTokencodeV2,
  EnableEmergencyTokencodeV1,
  EnableEmergencyTokencodeV2,
  UserDetails,
  UserStatus,
  UserStatusChanged,
} from "@sparekey/contract";
import { type IssueOptions, idempotencyHeaders } from "./idempotency.ts";
import type { ServerUrls } from "./server-urls.ts";
import { pathSegment } from "./server-urls.ts";
import type { Send } from "./transport.ts";

/** Exactly one of the two. */
export type UserLookupBy = { email: string } | { username: string };

/** A method that can be unlocked. `EMERGENCY_TOKENCODE` is Sparekey's alone; the rest is the vendor's. */
export type UnlockMethod = "TOKEN" | "SMS" | "VOICE" | "FINGERPRINT" | "APPROVE" | "EMERGENCY_TOKENCODE";

/**
 * The vendor's administration calls in the vendor's words. They work against RSA ID Plus and Sparekey alike;
 * an emergency tokencode is what Sparekey calls an emergency code.
 */
export interface VendorCalls {
  /**
   * Version 1: enables an emergency tokencode, which replaces the user's old one.
   *
   * A lost connection is tried again only with an `idempotencyKey` of your own: Sparekey then issues nothing twice.
   * RSA ID Plus does not know such keys, so give none there.
   * @param request `expirationDays`: whole days, 1 to 7
   * @returns the code itself in `emergencyTokencode`: it is never shown again
   */
  enableEmergencyTokencodeV1(
    userId: string,
    request: EnableEmergencyTokencodeV1,
    options?: IssueOptions,
  ): Promise<EmergencyTokencodeV1>;
  /**
   * Version 2: as version 1, with unit and single use; what is left out is taken from the company's settings.
   * @param request give `expiryUnit` and `expiryValue` both or neither; 1 minute to 7 days
   */
  enableEmergencyTokencode(
    userId: string,
    request?: EnableEmergencyTokencodeV2,
    options?: IssueOptions,
  ): Promise<EmergencyTokencodeV2>;
  /** Ends all emergency tokencodes of the user online. An id that is unknown or gone is no error. */
  disableEmergencyTokencode(userId: string, emergencyTokencodeId: string): Promise<void>;
  /** The older path of the same call, which names no code. */
  disableEmergencyTokencodes(userId: string): Promise<void>;
  /** Finds one user by email or username. @throws SparekeyError `user_not_found` */
  lookupUser(by: UserLookupBy): Promise<UserDetails>;
  /** Enables or disables the user; the code of a disabled user is not accepted. */
  setUserStatus(userId: string, userStatus: UserStatus["userStatus"]): Promise<UserStatusChanged>;
  /** Ends the lock of the named methods and clears their failures. */
  unlockMethods(userId: string, unlockMethods: readonly UnlockMethod[]): Promise<void>;
}

export function createVendorCalls(send: Send, urls: ServerUrls): VendorCalls {
  const userUrl = (version: "v1" | "v2", userId: string) => `${urls.admin}/${version}/users/${pathSegment(userId)}`;
  async function enable<Answer>(version: "v1" | "v2", userId: string, body: unknown, options: IssueOptions = {}) {
    const [url, headers] = [`${userUrl(version, userId)}/emergencyTokencode`, idempotencyHeaders(options)];
    // A key that the caller chose says that this server knows what to do with it. The vendor's would issue again.
    const repeatable = options.idempotencyKey !== undefined;
    return (await send<Answer>({ method: "PUT", url, headers, body, repeatable })).body;
  }
  return {
    enableEmergencyTokencodeV1: (userId, body, options) => enable("v1", userId, body, options),
    enableEmergencyTokencode: (userId, body, options) => enable("v2", userId, body ?? {}, options),
    async disableEmergencyTokencode(userId, emergencyTokencodeId) {
      const url = `${userUrl("v1", userId)}/emergencyTokencode/${pathSegment(emergencyTokencodeId)}`;
      await send({ method: "DELETE", url });
    },
    async disableEmergencyTokencodes(userId) {
      await send({ method: "DELETE", url: `${userUrl("v1", userId)}/emergencyTokencodes` });
    },
    async lookupUser(by) {
      return (await send<UserDetails>({ method: "POST", url: `${urls.admin}/v1/users/lookup`, body: by })).body;
    },
    async setUserStatus(userId, userStatus) {
      const url = `${userUrl("v1", userId)}/userStatus`;
      return (await send<UserStatusChanged>({ method: "PUT", url, body: { userStatus } })).body;
    },
    async unlockMethods(userId, unlockMethods) {
      await send({ method: "PATCH", url: `${userUrl("v1", userId)}/methods`, body: { unlockMethods } });
    },
  };
}
