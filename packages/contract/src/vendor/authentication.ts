/** The vendor's Authentication API, `/mfa/v1_1/authn/…`, as far as an emergency code needs it. */
import { type Static, Type } from "typebox";

const Text = (maxLength: number) => Type.String({ maxLength });
const NullableText = (maxLength: number) => Type.Union([Text(maxLength), Type.Null()]);
const Credential = Type.Object({
  methodId: Text(100),
  collectedInputs: Type.Array(
    Type.Object({ name: Text(100), value: Text(1_000), dataType: Type.Optional(NullableText(100)) }),
    {
      maxItems: 10,
    },
  ),
  versionId: Type.Optional(NullableText(100)),
  referenceId: Type.Optional(NullableText(100)),
  dataType: Type.Optional(NullableText(100)),
});
export type SubjectCredential = Static<typeof Credential>;
const SessionAttribute = Type.Record(Type.String(), Type.Unknown(), { maxProperties: 20 });

export const AuthnInitialize = Type.Object({
  subjectName: Type.String({ minLength: 1, maxLength: 1_000 }),
  context: Type.Object({
    messageId: Type.String({ minLength: 1, maxLength: 1_000 }),
    authnAttemptId: Type.Optional(Type.Union([Type.Literal(""), Type.Null()])),
    inResponseTo: Type.Optional(Type.Union([Type.Literal(""), Type.Null()])),
  }),
  clientId: Type.Optional(NullableText(1_000)),
  authnAttemptTimeout: Type.Optional(
    Type.Union([Type.Integer({ minimum: 1, maximum: 3_600 }), Type.String({ pattern: "^[0-9]{1,4}$" }), Type.Null()], {
      description: "Seconds an attempt stays open after its last message; 300 unless given.",
    }),
  ),
  lang: Type.Optional(NullableText(100)),
  assurancePolicyId: Type.Optional(NullableText(1_000)),
  assuranceLevel: Type.Optional(Type.Union([Type.Enum(["LOW", "MEDIUM", "HIGH"]), Type.Null()])),
  authMethodId: Type.Optional(NullableText(100)),
  sessionAttributes: Type.Optional(Type.Union([Type.Array(SessionAttribute, { maxItems: 50 }), Type.Null()])),
  subjectCredentials: Type.Optional(Type.Union([Type.Array(Credential, { maxItems: 5 }), Type.Null()])),
  keepAttempt: Type.Optional(Type.Union([Type.Boolean(), Type.Null()])),
  clientDetails: Type.Optional(Type.Unknown()),
});
export type AuthnInitialize = Static<typeof AuthnInitialize>;

export const AuthnVerify = Type.Object({
  context: Type.Object({
    authnAttemptId: Type.String({ minLength: 1, maxLength: 100 }),
    messageId: Type.String({ minLength: 1, maxLength: 1_000 }),
    inResponseTo: Type.String({ minLength: 1, maxLength: 100 }),
  }),
  subjectCredentials: Type.Array(Credential, { minItems: 1, maxItems: 5 }),
  clientId: Type.Optional(NullableText(1_000)),
  subjectName: Type.Optional(NullableText(1_000)),
});
export type AuthnVerify = Static<typeof AuthnVerify>;

export const AuthnStatus = Type.Object({
  authnAttemptId: Type.String({ minLength: 1, maxLength: 100 }),
  removeAttemptId: Type.Optional(Type.Union([Type.Boolean(), Type.Null()])),
});
export type AuthnStatus = Static<typeof AuthnStatus>;

export const AuthnCancel = Type.Object({
  authnAttemptId: Type.String({ minLength: 1, maxLength: 100 }),
  reason: Type.Optional(Type.Union([Type.Enum(["USER_ACTION", "TIME_OUT"]), Type.Null()])),
  removeAttemptId: Type.Optional(Type.Union([Type.Boolean(), Type.Null()])),
});
export type AuthnCancel = Static<typeof AuthnCancel>;

const AttemptResponseCode = Type.Enum(["SUCCESS", "FAIL", "ERROR", "CHALLENGE", "IN_PROCESS"]);
export type AttemptResponseCode = Static<typeof AttemptResponseCode>;

const Prompt = Type.Object({
  promptResourceId: Type.String(),
  defaultText: Type.String(),
  formatRegex: NullableText(1_000),
  defaultValue: NullableText(1_000),
  valueBeingDefined: Type.Boolean(),
  sensitive: Type.Boolean(),
  minLength: Type.Union([Type.Integer(), Type.Null()]),
  maxLength: Type.Union([Type.Integer(), Type.Null()]),
  promptArgs: Type.Array(Type.String()),
});

const Challenge = Type.Object({
  methodSetId: NullableText(100),
  requiredMethods: Type.Array(
    Type.Object({
      methodId: Type.String(),
      displayName: Type.String(),
      priority: Type.Union([Type.Integer(), Type.Null()]),
      versions: Type.Array(
        Type.Object({
          versionId: Type.String(),
          methodAttributes: Type.Array(Type.Unknown()),
          valueRequired: Type.Boolean(),
          referenceId: NullableText(100),
          prompt: Prompt,
        }),
      ),
    }),
  ),
});

export const AuthnAnswer = Type.Object({
  context: Type.Object({
    authnAttemptId: Type.String(),
    messageId: Type.String({ description: "New with every answer; the next request names it in `inResponseTo`." }),
    inResponseTo: Type.String({ description: "The `messageId` of the request." }),
  }),
  credentialValidationResults: Type.Array(
    Type.Object({
      methodId: Type.String(),
      methodResponseCode: Type.Enum(["SUCCESS", "FAIL"]),
      methodReasonCode: NullableText(100),
      authnAttributes: Type.Array(Type.Unknown()),
    }),
  ),
  attemptResponseCode: AttemptResponseCode,
  attemptReasonCode: NullableText(100),
  challengeMethods: Type.Object({ challenges: Type.Array(Challenge) }),
});
export type AuthnAnswer = Static<typeof AuthnAnswer>;

export const AuthnStatusAnswer = Type.Object({
  attemptResponseCode: AttemptResponseCode,
  attemptReasonCode: NullableText(100),
  subjectName: Type.String(),
  authnPolicyId: NullableText(1_000),
  sessionAttributes: Type.Array(SessionAttribute),
  successfulMethods: Type.Array(Type.String()),
  attemptExpires: Type.String({ description: "When the attempt ends by itself, RFC 3339." }),
});
export type AuthnStatusAnswer = Static<typeof AuthnStatusAnswer>;
