/** The three calls that issue a code, sent with an Idempotency-Key. */
import type { KeyFile } from "@sparekey/contract";
import type { Answer, TestInstallation } from "./installation.ts";

export interface IssuingRoute {
  name: string;
  method: string;
  path(userId: string): string;
  body: Record<string, unknown>;
  /** Another request on the same route. */
  otherBody: Record<string, unknown>;
  codeIn(body: Answer["body"]): string;
  /** The permanent code of an error; the vendor's wire has only the status. */
  isVendors: boolean;
}

const vendor = (version: string) => (id: string) => `/AdminInterface/restapi/${version}/users/${id}/emergencyTokencode`;

export const issuingRoutes: IssuingRoute[] = [
  {
    ...{ name: "the vendor's call, version 1", method: "PUT", path: vendor("v1"), isVendors: true },
    ...{ body: { expirationDays: 2 }, otherBody: { expirationDays: 3 } },
    codeIn: (body) => body.emergencyTokencode,
  },
  {
    ...{ name: "the vendor's call, version 2", method: "PUT", path: vendor("v2"), isVendors: true },
    body: { expiryUnit: "hours", expiryValue: 2 },
    otherBody: { expiryUnit: "hours", expiryValue: 3 },
    codeIn: (body) => body.emergencyTokencode,
  },
  {
    ...{
      name: "Sparekey's call",
      method: "POST",
      path: (id) => `/api/v1/users/${id}/emergency-code`,
      isVendors: false,
    },
    body: { lifetime: { value: 2, unit: "hours" }, reason: "lost phone" },
    otherBody: { lifetime: { value: 2, unit: "hours" }, reason: "lost laptop" },
    codeIn: (body) => body.code,
  },
];

export interface Issue {
  userId: string;
  key: string;
  body?: unknown;
  /** The Super Administrator's unless given. */
  keyFile?: KeyFile;
}

/** Issues by a route with a key, as it stands in the header. */
export async function issueBy(
  sparekey: TestInstallation,
  route: IssuingRoute,
  { userId, key, body = route.body, keyFile }: Issue,
): Promise<Answer> {
  const authorization = `Bearer ${await sparekey.token(keyFile)}`;
  return sparekey.call(route.method, route.path(userId), { body, headers: { authorization, "idempotency-key": key } });
}

export function isRepeated({ headers }: Answer): boolean {
  return headers.get("idempotency-replayed") === "true";
}
