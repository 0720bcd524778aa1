/** Sparekey's own calls around one user's emergency code: `/api/v1/users/{id}/…`. */
import { type Static, Type } from "typebox";
import { ExpiryUnit, maxLifetimeMinutes } from "./vendor/emergency-tokencode.ts";

const Instant = Type.String({ description: "RFC 3339, UTC, milliseconds.", examples: ["2026-09-06T15:34:44.000Z"] });
const NullableInstant = Type.Union([Instant, Type.Null()]);

export const Lifetime = Type.Object(
  { value: Type.Integer({ minimum: 1, maximum: maxLifetimeMinutes }), unit: ExpiryUnit },
  { additionalProperties: false, description: "From 1 minute to 7 days." },
);
export type Lifetime = Static<typeof Lifetime>;

export const IssueEmergencyCode = Type.Object(
  {
    lifetime: Type.Optional(Lifetime),
    oneTime: Type.Optional(Type.Boolean()),
    reason: Type.Optional(Type.String({ maxLength: 500, description: "Why, for the record." })),
    ticket: Type.Optional(Type.String({ maxLength: 100, description: "The help desk's ticket, for the record." })),
  },
  { additionalProperties: false, description: "What is left out is taken from the company's settings." },
);
export type IssueEmergencyCode = Static<typeof IssueEmergencyCode>;

const SettingSource = Type.Enum(["asked", "default", "lock"], {
  description:
    "`asked`: this request; `default`: the company's settings; `lock`: the company's settings, which overrode the request.",
});

export const IssuedEmergencyCode = Type.Object({
  id: Type.String(),
  userId: Type.String(),
  code: Type.String({
    description: "The plain code. No other answer ever holds it, but that to this very call sent again.",
    examples: ["7K3M-9QZX-4TP"],
  }),
  issuedAt: Instant,
  expiresAt: Instant,
  offlineExpiresAt: NullableInstant,
  settings: Type.Object({
    lifetime: Type.Object({ value: Type.Integer(), unit: ExpiryUnit, source: SettingSource }),
    oneTime: Type.Object({ value: Type.Boolean(), source: SettingSource }),
  }),
});
export type IssuedEmergencyCode = Static<typeof IssuedEmergencyCode>;

export const EmergencyAccess = Type.Object({
  userId: Type.String(),
  userStatus: Type.Enum(["enabled", "disabled"]),
  status: Type.Enum(["none", "active", "expired", "consumed", "revoked"], {
    description: "`active` can be used now, unless the user is disabled or locked.",
  }),
  codeId: Type.Union([Type.String(), Type.Null()]),
  issuedAt: NullableInstant,
  expiresAt: NullableInstant,
  offlineExpiresAt: NullableInstant,
  oneTime: Type.Boolean(),
  lastUsedAt: NullableInstant,
  failures: Type.Integer({ description: "Wrong codes since the last success or unlock." }),
  locked: Type.Boolean(),
  lockedUntil: NullableInstant,
  explanation: Type.String({
    description: "In one sentence: can this user sign in with the code now, and if not, why.",
  }),
});
export type EmergencyAccess = Static<typeof EmergencyAccess>;

const minutesIn = { days: 24 * 60, hours: 60, minutes: 1 } as const;

/** A lifetime in minutes. */
export function lifetimeMinutes({ value, unit }: Lifetime): number {
  return value * minutesIn[unit];
}
