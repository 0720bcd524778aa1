/**
 * Who is calling, and what a route demands of them.
 *
 * Shared by every feature, so it holds types and one table, and imports nothing but contract.
 */
import type { Role } from "@sparekey/contract";

/** What a call may need. The names are the vendor's, so that its OAuth clients keep theirs; `sparekey.*` are ours. */
export type Permission =
  | "rsa.authenticator.emergency.manage"
  | "rsa.user.read"
  | "rsa.user.manage"
  | "rsa.user.factor.manage"
  | "rsa.audit.admin"
  | "sparekey.user.write"
  | "sparekey.settings";

/** Which role may do what. A permission that is missing here is nobody's. */
const rolesWith: Record<Permission, readonly Role[]> = {
  "rsa.authenticator.emergency.manage": ["Super Administrator", "Help Desk Administrator"],
  "rsa.user.read": ["Super Administrator", "Help Desk Administrator"],
  "rsa.user.manage": ["Super Administrator", "Help Desk Administrator"],
  "rsa.user.factor.manage": ["Super Administrator", "Help Desk Administrator"],
  "rsa.audit.admin": ["Super Administrator", "Help Desk Administrator"],
  "sparekey.user.write": ["Super Administrator"],
  "sparekey.settings": ["Super Administrator"],
};

/** Every route declares one of these; a route without it keeps the server from starting. */
export type RouteAccess =
  | { by: "administrator"; permission: Permission }
  | { by: "authentication_client" }
  | { by: "operations" }
  | { by: "anyone"; because: string };

export interface Administrator {
  kind: "administrator";
  /** The API key's access ID. */
  id: string;
  role: Role;
}

export interface AuthenticationClient {
  kind: "authentication_client";
  /** The Authentication API key's id. */
  id: string;
}

/** `command`: a maintenance command on the server's own machine. `anonymous`: nobody was recognised. */
export type Principal =
  | Administrator
  | AuthenticationClient
  | { kind: "command"; id: null }
  | { kind: "anonymous"; id: null };

/** One call as the services see it: who, from where, and how to find it again. */
export interface Call<By extends Principal = Principal> {
  principal: By;
  requestId: string | null;
  /** Network address of the client, or null for a command. */
  address: string | null;
}

export function hasPermission(principal: Administrator, permission: Permission): boolean {
  return rolesWith[permission].includes(principal.role);
}

/** The call that a maintenance command makes. */
export const commandCall: Call = { principal: { kind: "command", id: null }, requestId: null, address: null };

/** The call as an administrator's; the route's declaration has made sure that it is one. */
export function asAdministrator(call: Call): Call<Administrator> {
  if (call.principal.kind !== "administrator") throw new Error("the route does not demand an administrator");
  return call as Call<Administrator>;
}

/** The call as an authentication client's; the route's declaration has made sure that it is one. */
export function asAuthenticationClient(call: Call): Call<AuthenticationClient> {
  if (call.principal.kind !== "authentication_client") throw new Error("the route does not demand a client key");
  return call as Call<AuthenticationClient>;
}
