/** The vendor's user calls: lookup, status, unlock. */
import { type Static, Type } from "typebox";

const LoginName = Type.String({ minLength: 1, maxLength: 320 });
const NullableString = Type.Union([Type.String(), Type.Null()]);
const Switch = Type.Enum(["Enabled", "Disabled"]);

export const UserLookup = Type.Object(
  {
    email: Type.Optional(LoginName),
    username: Type.Optional(LoginName),
    searchUnsynched: Type.Optional(
      Type.Boolean({ description: "The vendor's spelling. Accepted; Sparekey keeps no users elsewhere." }),
    ),
  },
  {
    additionalProperties: false,
    oneOf: [{ required: ["email"] }, { required: ["username"] }],
    description: "Exactly one of `email` and `username`.",
  },
);
export type UserLookup = Static<typeof UserLookup>;

export const UserDetails = Type.Object({
  id: Type.String(),
  emailAddress: Type.String(),
  firstName: Type.String(),
  lastName: Type.String(),
  creationDate: Type.String(),
  lastSyncTime: Type.String(),
  identitySource: Type.String(),
  userStatus: Switch,
  highRiskUser: Type.Boolean(),
  markDeleted: Type.Boolean(),
  markDeletedAt: NullableString,
  markDeletedBy: NullableString,
  smsNumber: NullableString,
  voiceNumber: NullableString,
  isTokenLocked: Type.Boolean(),
  isSmsLocked: Type.Boolean(),
  isVoiceLocked: Type.Boolean(),
  isFingerprintLocked: Type.Boolean(),
  isApproveLocked: Type.Boolean(),
  emergencyAccessStatus: Switch,
  emergencyTokencodeId: NullableString,
  emergencyTokencodeExpiration: NullableString,
  emergencyTokencodeLastUse: NullableString,
  emergencyTokencodeOneTimeUse: Type.Boolean(),
  offlineEmergencyAccessStatus: Switch,
  offlineEmergencyTokencodeExpiration: NullableString,
  monthLastAuthenticated: NullableString,
  lastSuccessfulAuthenticationMethod: NullableString,
  lastSuccessfulAuthenticationDate: NullableString,
  principalUsername: Type.String(),
  alternateUsername: Type.String(),
  primaryUniqueIdentifier: Type.String(),
  secondaryUniqueIdentifier: Type.String(),
  identitySourceSpecificGroups: Type.Array(Type.String()),
  globalGroups: Type.Array(Type.String()),
});
export type UserDetails = Static<typeof UserDetails>;

export const UserStatus = Type.Object({ userStatus: Switch }, { additionalProperties: false });
export type UserStatus = Static<typeof UserStatus>;

export const UserStatusChanged = Type.Object({ id: Type.String(), userStatus: Switch });
export type UserStatusChanged = Static<typeof UserStatusChanged>;

/** What the vendor can unlock, and `EMERGENCY_TOKENCODE`, which only Sparekey can. */
export const UnlockMethods = Type.Object(
  {
    unlockMethods: Type.Array(Type.Enum(["TOKEN", "SMS", "VOICE", "FINGERPRINT", "APPROVE", "EMERGENCY_TOKENCODE"]), {
      minItems: 1,
      maxItems: 6,
      uniqueItems: true,
    }),
  },
  { additionalProperties: false },
);
export type UnlockMethods = Static<typeof UnlockMethods>;
