/** The company's settings: what an administrator may choose while the service runs. */
import { type Static, Type } from "typebox";
import { ExpiryUnit, maxLifetimeMinutes } from "./vendor/emergency-tokencode.ts";

export const CodeFormat = Type.Union(
  [
    Type.Object(
      { alphabet: Type.Literal("symbols"), length: Type.Union([Type.Literal(10), Type.Literal(13)]) },
      { additionalProperties: false, description: "Crockford base 32 and one check symbol: 50 or 65 bits." },
    ),
    Type.Object(
      { alphabet: Type.Literal("digits"), length: Type.Union([Type.Literal(8), Type.Literal(9), Type.Literal(10)]) },
      { additionalProperties: false, description: "For phone keypads: 27, 30 or 33 bits, and no check symbol." },
    ),
  ],
  { description: "How new codes look." },
);
export type CodeFormat = Static<typeof CodeFormat>;

export const Settings = Type.Object(
  {
    onlineEmergencyCode: Type.Object(
      {
        expiryUnit: ExpiryUnit,
        expiryValue: Type.Integer({ minimum: 1, maximum: maxLifetimeMinutes }),
        oneTimeUse: Type.Boolean(),
        locked: Type.Boolean({ description: "While true, these values override what a request asks for." }),
      },
      { additionalProperties: false, description: "The company's online EAC configuration." },
    ),
    codeFormat: CodeFormat,
    lockout: Type.Object(
      {
        tries: Type.Integer({
          minimum: 1,
          maximum: 100,
          description: "Wrong codes before emergency access is locked.",
        }),
        lockMinutes: Type.Integer({ minimum: 1, maximum: 10_080 }),
      },
      { additionalProperties: false },
    ),
    attemptTries: Type.Integer({
      minimum: 1,
      maximum: 10,
      description: "Wrong codes before an authentication attempt fails.",
    }),
    answerTimeMs: Type.Integer({
      minimum: 0,
      maximum: 1_000,
      description:
        "Every verification is answered at a multiple of this time after it arrived, so that a clock learns nothing. 0 answers at once.",
    }),
    protectedGroups: Type.Array(Type.String({ minLength: 1, maxLength: 200 }), {
      maxItems: 200,
      uniqueItems: true,
      description: "Codes, unlock and status of their members need a Super Administrator.",
    }),
    rateLimits: Type.Object(
      {
        administrationPerMinute: Type.Integer({
          minimum: 10,
          maximum: 10_000_000,
          description: "Calls a minute, an API key and a node.",
        }),
        authenticationPerMinute: Type.Integer({
          minimum: 10,
          maximum: 10_000_000,
          description: "Calls a minute, an Authentication API key and a node.",
        }),
        refusedPerMinute: Type.Integer({
          minimum: 10,
          maximum: 10_000_000,
          description: "Refused credentials a minute, a network address and a node.",
        }),
      },
      { additionalProperties: false },
    ),
  },
  { additionalProperties: false },
);
export type Settings = Static<typeof Settings>;

export const profiles = ["vendor", "nist", "pci"] as const;
/** A named set of settings: the vendor's habits, NIST SP 800-63B-4, or PCI DSS. */
export type Profile = (typeof profiles)[number];

export const SettingsFinding = Type.Object({
  standard: Type.String({ examples: ["NIST SP 800-63B-4"] }),
  clause: Type.String({ examples: ["4.2.1.2"] }),
  setting: Type.String({ examples: ["onlineEmergencyCode.oneTimeUse"] }),
  message: Type.String({ description: "What the clause asks for, and what the setting says." }),
  remedy: Type.String({ description: "The change that mends it." }),
});
export type SettingsFinding = Static<typeof SettingsFinding>;

export const SettingsLint = Type.Object({ version: Type.Integer(), findings: Type.Array(SettingsFinding) });
export type SettingsLint = Static<typeof SettingsLint>;
