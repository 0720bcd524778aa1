/** Typed client for Sparekey, and for the vendor's API that it shares. Runs on Node 20 and later and in browsers. */
export type {
  AuditAction,
  AuditEvent,
  AuditPage,
  AuditQuery,
  AuthnAnswer,
  AuthnCancel,
  AuthnInitialize,
  AuthnStatus,
  AuthnStatusAnswer,
  AuthnVerify,
  EmergencyAccess,
  EmergencyTokencodeV1,
  EmergencyTokencodeV2,
  EnableEmergencyTokencodeV1,
  EnableEmergencyTokencodeV2,
  ErrorCode,
  ExpiryUnit,
  IssuedEmergencyCode,
  IssueEmergencyCode,
  KeyFile,
  Lifetime,
  Settings,
  SettingsFinding,
  SettingsLint,
  SubjectCredential,
  User,
  UserBatchAnswer,
  UserDetails,
  UserInput,
  UserResult,
  UserStatusChanged,
  VerifyAnswer,
  VerifyRequest,
} from "@sparekey/contract";
export { idempotencyKeyPattern, maxUserBatch } from "@sparekey/contract";
export type { AuditCalls, FollowAudit } from "./audit-calls.ts";
export {
  type AttemptCalls,
  type AuthenticationClient,
  type AuthenticationClientOptions,
  createAuthenticationClient,
  emergencyTokencodeCredential,
} from "./authentication-client.ts";
export { createSparekeyClient, type SparekeyClient, type SparekeyClientOptions } from "./client.ts";
export type { CodeCalls } from "./code-calls.ts";
export {
  type AnySparekeyError,
  type AnySparekeyErrorCode,
  type ConnectionErrorCode,
  type KeyErrorCode,
  SparekeyConnectionError,
  SparekeyError,
  type SparekeyErrorCode,
  SparekeyKeyError,
} from "./errors.ts";
export type { Fetch } from "./exchange.ts";
export type { IssueOptions } from "./idempotency.ts";
export { parseKeyFile } from "./key-file.ts";
export { groupCode, readAloud } from "./read-aloud.ts";
export type { RetryLimits } from "./retry.ts";
export type { SettingsCalls, VersionedSettings } from "./settings-calls.ts";
export type { TransportOptions } from "./transport.ts";
export type { UserCalls } from "./user-calls.ts";
export type { UnlockMethod, UserLookupBy, VendorCalls } from "./vendor-calls.ts";
