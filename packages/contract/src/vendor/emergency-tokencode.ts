/** Enable and disable an emergency tokencode: the vendor's words for issue and revoke an emergency code. */
import { type Static, Type } from "typebox";

export const ExpiryUnit = Type.Enum(["days", "hours", "minutes"]);
export type ExpiryUnit = Static<typeof ExpiryUnit>;

/** Seven days: the longest life of an emergency code, in minutes. */
export const maxLifetimeMinutes = 7 * 24 * 60;

export const EnableEmergencyTokencodeV1 = Type.Object(
  {
    expirationDays: Type.Union(
      [Type.Integer({ minimum: 1, maximum: 7 }), Type.Enum(["1", "2", "3", "4", "5", "6", "7"])],
      { description: "Days until the code expires; the vendor's own example sends a string.", examples: ["7"] },
    ),
  },
  { additionalProperties: false },
);
export type EnableEmergencyTokencodeV1 = Static<typeof EnableEmergencyTokencodeV1>;

export const EnableEmergencyTokencodeV2 = Type.Object(
  {
    oneTimeUse: Type.Optional(Type.Boolean()),
    expiryUnit: Type.Optional(ExpiryUnit),
    expiryValue: Type.Optional(
      Type.Union([Type.Integer({ minimum: 1, maximum: maxLifetimeMinutes }), Type.String({ pattern: "^[0-9]{1,5}$" })]),
    ),
  },
  {
    additionalProperties: false,
    dependentRequired: { expiryUnit: ["expiryValue"], expiryValue: ["expiryUnit"] },
    description: "What is left out is taken from the company's settings.",
  },
);
export type EnableEmergencyTokencodeV2 = Static<typeof EnableEmergencyTokencodeV2>;

const enabled = {
  emergencyTokencodeId: Type.String({
    description: "Identifies the code.",
    examples: ["6f1f8f0e-1c39-4c6c-8d0b-6e3d2a1b5c77"],
  }),
  emergencyTokencode: Type.String({
    description: "The code. No other answer ever holds it, but that to this very call sent again.",
    examples: ["7K3M-9QZX-4TP"],
  }),
  expirationDate: Type.String({ description: "End of online use.", examples: ["2018-09-06T15:34:44.000Z"] }),
  offlineExpirationDate: Type.Union([Type.String(), Type.Null()], {
    description: "End of offline use; null when no laptop can accept this code.",
  }),
};

export const EmergencyTokencodeV1 = Type.Object(enabled, { additionalProperties: false });
export type EmergencyTokencodeV1 = Static<typeof EmergencyTokencodeV1>;

/** A closed set of properties: strict clients refuse an answer with one more. */
export const EmergencyTokencodeV2 = Type.Object(
  {
    ...enabled,
    configurationsUsed: Type.Object(
      { expiryValue: Type.Integer(), expiryUnit: ExpiryUnit, oneTimeUse: Type.Boolean() },
      { additionalProperties: false },
    ),
    oneTimeUse: Type.Boolean(),
    configurationsLocked: Type.Boolean(),
  },
  { additionalProperties: false },
);
export type EmergencyTokencodeV2 = Static<typeof EmergencyTokencodeV2>;
