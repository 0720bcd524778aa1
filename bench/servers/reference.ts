/**
 * What the figures are compared with: a bare Fastify that takes the same requests by the same schemas, gives answers of the
 * same shape, and does nothing.
 */
import {
  AuthnAnswer,
  AuthnInitialize,
  EmergencyTokencodeV1,
  EnableEmergencyTokencodeV1,
  UserDetails,
  UserLookup,
  VerifyAnswer,
  VerifyRequest,
} from "@sparekey/contract";
import { fastify } from "fastify";

const id = "6f1f8f0e-1c39-4c6c-8d0b-6e3d2a1b5c77";
const at = "2026-09-06T15:34:44.000Z";

const issued: EmergencyTokencodeV1 = {
  emergencyTokencodeId: id,
  emergencyTokencode: "7K3M-9QZX-4TP",
  expirationDate: at,
  offlineExpirationDate: null,
};

const authenticated: AuthnAnswer = {
  context: { authnAttemptId: id, messageId: id, inResponseTo: "bench" },
  credentialValidationResults: [
    { methodId: "EMERGENCY_TOKENCODE", methodResponseCode: "SUCCESS", methodReasonCode: null, authnAttributes: [] },
  ],
  attemptResponseCode: "SUCCESS",
  attemptReasonCode: "CREDENTIAL_VERIFIED",
  challengeMethods: { challenges: [] },
};

const details: UserDetails = {
  id,
  emailAddress: "bench.user1234@example.com",
  firstName: "Bench",
  lastName: "1234",
  creationDate: at,
  lastSyncTime: at,
  identitySource: "Sparekey",
  userStatus: "Enabled",
  highRiskUser: false,
  markDeleted: false,
  markDeletedAt: null,
  markDeletedBy: null,
  smsNumber: null,
  voiceNumber: null,
  isTokenLocked: false,
  isSmsLocked: false,
  isVoiceLocked: false,
  isFingerprintLocked: false,
  isApproveLocked: false,
  emergencyAccessStatus: "Enabled",
  emergencyTokencodeId: id,
  emergencyTokencodeExpiration: at,
  emergencyTokencodeLastUse: null,
  emergencyTokencodeOneTimeUse: false,
  offlineEmergencyAccessStatus: "Disabled",
  offlineEmergencyTokencodeExpiration: null,
  monthLastAuthenticated: null,
  lastSuccessfulAuthenticationMethod: null,
  lastSuccessfulAuthenticationDate: null,
  principalUsername: "bench.user1234",
  alternateUsername: "",
  primaryUniqueIdentifier: id,
  secondaryUniqueIdentifier: id,
  identitySourceSpecificGroups: [],
  globalGroups: [],
};

const server = fastify();
const schema = (body: object, answer: object) => ({ schema: { body, response: { 200: answer } } });
server.put(
  "/AdminInterface/restapi/v1/users/:userId/emergencyTokencode",
  schema(EnableEmergencyTokencodeV1, EmergencyTokencodeV1),
  async () => issued,
);
server.post("/AdminInterface/restapi/v1/users/lookup", schema(UserLookup, UserDetails), async () => details);
server.post("/mfa/v1_1/authn/initialize", schema(AuthnInitialize, AuthnAnswer), async () => authenticated);
server.post("/api/v1/verify", schema(VerifyRequest, VerifyAnswer), async () => ({ accepted: true }));
server.get("/readyz", async () => ({ status: "ok" }));

process.on("SIGTERM", () => process.exit(0));
await server.listen({ host: "127.0.0.1", port: Number(process.argv[2]) });
