/** Who may call: credentials to principal, principal to permission, and how often. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { ApiKeysService } from "../api-keys/service.ts";
import type { AuditService } from "../audit/service.ts";
import type { AuthnKeysService } from "../authn-keys/service.ts";
import { createRateLimiter, rateLimitHeaders } from "../platform/rate-limiter.ts";
import type { Readiness } from "../platform/readiness.ts";
import { Refusal } from "../platform/refusal.ts";
import { type Administrator, type Call, hasPermission, type Permission, type RouteAccess } from "../principal.ts";
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

interface Dependencies {
  apiKeys: ApiKeysService;
  authnKeys: AuthnKeysService;
  audit: AuditService;
  settings: SettingsService;
  /** Lets a monitoring system read the metrics from elsewhere; without it only loopback may. */
  metricsToken: string | undefined;
  readiness: Readiness;
}

export class AccessService {
  readonly #with: Dependencies;
  /** Each node counts for itself. The limit on guesses is elsewhere, in the database. */
  readonly #limiter = createRateLimiter();

  constructor(dependencies: Dependencies) {
    this.#with = dependencies;
  }

  /** The call, or a refusal: `token_refused`, `client_key_refused`, `access_denied`, `too_many_requests`. */
  async admit(access: RouteAccess, presented: Presented, onHeaders: OnHeaders): Promise<Call> {
    const { requestId, address } = presented;
    const anonymous: Call = { principal: { kind: "anonymous", id: null }, requestId, address };
    if (access.by !== "anyone" && access.by !== "operations") this.#with.readiness.demand();
    switch (access.by) {
      case "anyone":
        return anonymous;
      case "operations":
        if (mayOperate(presented, this.#with.metricsToken)) return anonymous;
        return this.#refuse(anonymous, "access_denied", "not_operations", onHeaders);
      case "administrator": {
        const principal = await this.#administrator(presented);
        if (typeof principal === "string") return this.#refuse(anonymous, "token_refused", principal, onHeaders);
        await this.#spend("administration", principal.id, onHeaders);
        const call = { ...anonymous, principal };
        if (!hasPermission(principal, access.permission)) return this.#deny(call, access.permission);
        return call;
      }
      case "authentication_client": {
        const principal = await this.#with.authnKeys.authenticate(presented.clientKey ?? "");
        if (principal === undefined)
          return this.#refuse(anonymous, "client_key_refused", "unknown_client_key", onHeaders);
        await this.#spend("authentication", principal.id, onHeaders);
        return { ...anonymous, principal };
      }
    }
  }

  async #administrator({ authorization }: Presented): Promise<Administrator | string> {
    const token = bearerOf(authorization);
    return token === undefined ? "no_token" : this.#with.apiKeys.authenticate(token);
  }

  async #spend(budget: Budget, key: string, onHeaders: OnHeaders): Promise<void> {
    const { settings } = await this.#with.settings.current();
    const spent = await this.#limiter.spend(budget, key, settings.rateLimits[`${budget}PerMinute`]);
    onHeaders(rateLimitHeaders(spent));
    if (spent.exceeded) throw new Refusal("too_many_requests", { retryAfterSeconds: spent.resetSeconds });
  }

  async #refuse(
    call: Call,
    code: "token_refused" | "client_key_refused" | "access_denied",
    reason: string,
    onHeaders: OnHeaders,
  ): Promise<never> {
    // Past its budget a network is refused without a record: nobody may fill the disk from outside.
    await this.#spend("refused", networkOf(call.address ?? ""), onHeaders);
    await this.#with.audit.recordAlone(call, { action: "principal.refused", outcome: "refused", reason });
    throw new Refusal(code, { detail: reason });
  }

  async #deny(call: Call<Administrator>, permission: Permission): Promise<never> {
    const reason = "access_denied";
    const details = { permission, role: call.principal.role };
    await this.#with.audit.recordAlone(call, { action: "principal.refused", outcome: "refused", reason, details });
    throw new Refusal(reason);
  }
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
