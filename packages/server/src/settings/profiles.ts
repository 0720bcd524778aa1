/** The named sets of settings that an installation starts from. */
import type { Profile, Settings } from "@sparekey/contract";

const shared = {
  codeFormat: { alphabet: "symbols", length: 10 },
  lockout: { tries: 10, lockMinutes: 30 },
  attemptTries: 3,
  answerTimeMs: 50,
  protectedGroups: [],
  rateLimits: { administrationPerMinute: 1_200, authenticationPerMinute: 12_000, refusedPerMinute: 300 },
} as const;

/** `vendor`: the vendor's habits. `nist`: SP 800-63B-4 recovery codes read out by voice. `pci`: PCI DSS 8. */
export function settingsOf(profile: Profile): Settings {
  const onlineEmergencyCode = {
    vendor: { expiryUnit: "days", expiryValue: 1, oneTimeUse: false, locked: false },
    nist: { expiryUnit: "minutes", expiryValue: 10, oneTimeUse: true, locked: true },
    pci: { expiryUnit: "days", expiryValue: 1, oneTimeUse: true, locked: false },
  } as const satisfies Record<Profile, Settings["onlineEmergencyCode"]>;
  return { onlineEmergencyCode: onlineEmergencyCode[profile], ...shared, protectedGroups: [] };
}
