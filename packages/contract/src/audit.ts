/** The audit record as `/api/v1/audit/events` shows it. */
import { type Static, Type } from "typebox";

export const auditActions = [
  "installation.initialized",
  "service.started",
  "installation.restored",
  "installation.rolled_back",
  "installation.moved",
  "emergency_code.issued",
  "emergency_code.issue_repeated",
  "emergency_code.verified",
  "emergency_code.revoked",
  "emergency_code.revoked_all",
  "emergency_access.locked",
  "emergency_access.unlocked",
  "user.created",
  "user.updated",
  "user.enabled",
  "user.disabled",
  "settings.changed",
  "api_key.created",
  "api_key.deleted",
  "authn_key.created",
  "authn_key.deleted",
  "key.rotated",
  "root_key.replaced",
  "principal.refused",
] as const;
export type AuditAction = (typeof auditActions)[number];

export const AuditEvent = Type.Object({
  sequence: Type.Integer({ description: "Place in the record, ascending, without gaps that mean anything." }),
  id: Type.String(),
  at: Type.String(),
  action: Type.Enum(auditActions),
  outcome: Type.Enum(["success", "refused"]),
  reason: Type.Union([Type.String(), Type.Null()]),
  actor: Type.Object({
    kind: Type.Enum(["administrator", "authentication_client", "command", "anonymous"]),
    id: Type.Union([Type.String(), Type.Null()], { description: "The key's id." }),
  }),
  userId: Type.Union([Type.String(), Type.Null()]),
  requestId: Type.Union([Type.String(), Type.Null()]),
  details: Type.Record(Type.String(), Type.Unknown(), {
    description: "What else this action records: code id, ends, key ids, settings version.",
  }),
  personal: Type.Union([Type.Record(Type.String(), Type.Unknown()), Type.Null()], {
    description: "Names and addresses, kept beside the record; null once the person was erased.",
  }),
  personalCommitment: Type.Union([Type.String(), Type.Null()], {
    description:
      "Base64url HMAC-SHA-256 of the personal object under its salt: what the canonical record holds in its place.",
  }),
});
export type AuditEvent = Static<typeof AuditEvent>;

export const AuditQuery = Type.Object(
  {
    after: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: Number.MAX_SAFE_INTEGER,
        description: "Only what comes after this sequence number: the `cursor` of the last answer.",
      }),
    ),
    last: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000, description: "Only the newest so many." })),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000, description: "100 unless given." })),
    userId: Type.Optional(Type.String({ maxLength: 100 })),
    action: Type.Optional(Type.Enum(auditActions)),
  },
  { additionalProperties: false },
);
/** Query of `GET /api/v1/audit/events`. */
export type AuditQuery = { after?: number; last?: number; limit?: number; userId?: string; action?: AuditAction };

export const AuditPage = Type.Object({
  events: Type.Array(AuditEvent, { description: "In the order of the record." }),
  cursor: Type.Integer({ description: "Send it as `after` to go on from here." }),
});
export type AuditPage = Static<typeof AuditPage>;
