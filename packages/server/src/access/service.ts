/** Who may call: credentials to principal, principal to permission, and how often. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { ApiKeysService } from "../api-keys/service.ts";
import type { AuditService } from "../audit/service.ts";
import type { AuthnKeysService } from "../authn-keys/service.ts";
import { createRateLimiter, rateLimitHeaders } from "../platform/rate-limiter.ts";
import { Refusal } from "../platform/refusal.ts";
import { type Call, hasPermission, type Principal, type RouteAccess } from "../principal.ts";
import type { SettingsService } from "../settings/service.ts";
import { isLoopback, networkOf } from "./network.ts";

/** What a request presents. */
export interface Presented {
  authorization: string | undefined;
  clientKey: string | undefined;
  address: string;
  requestId: string;
}

/** Takes the rate limit headers of the answer, whatever the answer will be. */
type OnHeaders = (headers: Record<string, string>) => void;

/** One budget a key, and one a network for credentials that were refused. */
type Budget = "administration" | "authentication" | "refused";

export interface AccessService {
  /** The call, or a refusal: `token_refused`, `client_key_refused`, `access_denied`, `too_many_requests`. */
  admit(access: RouteAccess, presented: Presented, onHeaders: OnHeaders): Promise<Call>;
}

interface Dependencies {
  apiKeys: ApiKeysService;
  authnKeys: AuthnKeysService;
  audit: AuditService;
  settings: SettingsService;
  /** Lets a monitoring system read the metrics from elsewhere; without it only loopback may. */
  metricsToken: string | undefined;
}

export function createAccessService({ apiKeys, authnKeys, audit, settings, metricsToken }: Dependencies): AccessService {
  // Each node counts for itself. The limit on guesses is elsewhere, in the database.
  const limiter = createRateLimiter();

  async function spendOrRefuse(budget: Budget, key: string, onHeaders: OnHeaders) {
    const { rateLimits } = (await settings.current()).settings;
    const spent = await limiter.spend(budget, key, rateLimits[`${budget}PerMinute`]);
    onHeaders(rateLimitHeaders(spent));
    if (spent.exceeded) throw new Refusal("too_many_requests", { retryAfterSeconds: spent.resetSeconds });
  }

  async function principalOf(access: RouteAccess, presented: Presented): Promise<Principal | { fault: string }> {
    if (access.by === "administrator") {
      const token = bearerOf(presented.authorization);
      const found = token === undefined ? "no_token" : await apiKeys.authenticate(token);
      return typeof found === "string" ? { fault: found } : found;
    }
    const client = await authnKeys.authenticate(presented.clientKey ?? "");
    return client ?? { fault: presented.clientKey === undefined ? "no_client_key" : "unknown_client_key" };
  }

  return {
    admit: async (access, presented, onHeaders) => {
      const anonymous: Call = {
        principal: { kind: "anonymous", id: null },
        requestId: presented.requestId,
        address: presented.address,
      };
      if (access.by === "anyone") return anonymous;
      if (access.by === "operations") {
        if (mayOperate(presented, metricsToken)) return anonymous;
        throw new Refusal("access_denied");
      }
      const principal = await principalOf(access, presented);
      const refusal = access.by === "administrator" ? "token_refused" : "client_key_refused";
      if ("fault" in principal) {
        // Past its budget a network is refused without a record: nobody may fill the disk from outside.
        await spendOrRefuse("refused", networkOf(presented.address), onHeaders);
        await audit.recordAlone(anonymous, { action: "principal.refused", outcome: "refused", reason: principal.fault });
        throw new Refusal(refusal, { detail: principal.fault });
      }
      const call: Call = { ...anonymous, principal };
      const budget = access.by === "administrator" ? "administration" : "authentication";
      await spendOrRefuse(budget, `${principal.kind}/${principal.id}`, onHeaders);
      if (access.by === "administrator" && principal.kind === "administrator" && !hasPermission(principal, access.permission)) {
        const details = { permission: access.permission, role: principal.role };
        await audit.recordAlone(call, { action: "principal.refused", outcome: "refused", reason: "access_denied", details });
        throw new Refusal("access_denied");
      }
      return call;
    },
  };
}

/** The scheme's name is case-insensitive; a token has no spaces. */
function bearerOf(authorization: string | undefined): string | undefined {
  return /^Bearer +([A-Za-z0-9._~+/=-]+)$/i.exec(authorization ?? "")?.[1];
}

function mayOperate({ address, authorization }: Presented, metricsToken: string | undefined): boolean {
  if (metricsToken === undefined) return isLoopback(address);
  const presented = bearerOf(authorization);
  return presented !== undefined && timingSafeEqual(sha256(presented), sha256(metricsToken));
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
