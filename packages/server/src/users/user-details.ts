/** The vendor's User Details, from what Sparekey knows of a user. */
import type { EmergencyAccess, UserDetails } from "@sparekey/contract";
import type { User } from "./user.ts";

const methodName = "Emergency Tokencode";

export function toUserDetails(user: User, access: EmergencyAccess): UserDetails {
  const active = access.status === "active";
  return {
    id: user.id,
    emailAddress: user.email,
    firstName: user.firstName,
    lastName: user.lastName,
    creationDate: user.createdAt,
    lastSyncTime: user.updatedAt,
    identitySource: "Sparekey",
    userStatus: user.status === "enabled" ? "Enabled" : "Disabled",
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
    emergencyAccessStatus: active ? "Enabled" : "Disabled",
    emergencyTokencodeId: active ? access.codeId : null,
    emergencyTokencodeExpiration: active ? access.expiresAt : null,
    emergencyTokencodeLastUse: access.lastUsedAt,
    emergencyTokencodeOneTimeUse: active && access.oneTime,
    offlineEmergencyAccessStatus: access.offlineExpiresAt === null ? "Disabled" : "Enabled",
    offlineEmergencyTokencodeExpiration: access.offlineExpiresAt,
    monthLastAuthenticated: access.lastUsedAt === null ? null : monthOf(access.lastUsedAt),
    lastSuccessfulAuthenticationMethod: access.lastUsedAt === null ? null : methodName,
    lastSuccessfulAuthenticationDate: access.lastUsedAt,
    principalUsername: user.username,
    alternateUsername: user.alternateUsername ?? "",
    primaryUniqueIdentifier: user.id,
    secondaryUniqueIdentifier: user.username,
    identitySourceSpecificGroups: user.groups,
    globalGroups: [],
  };
}

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** `Jun 2025`, in UTC. */
function monthOf(instant: string): string {
  return `${months[Number(instant.slice(5, 7)) - 1]} ${instant.slice(0, 4)}`;
}
