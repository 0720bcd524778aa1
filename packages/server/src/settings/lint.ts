/** Which clause of a standard a company's settings break, and what would mend it. */
import { lifetimeMinutes, type Settings, type SettingsFinding } from "@sparekey/contract";

interface Rule extends SettingsFinding {
  broken(settings: Settings): boolean;
}

const nist = "NIST SP 800-63B-4";
const pci = "PCI DSS 4.0.1";
const asvs = "OWASP ASVS 5.0";

const rules: Rule[] = [
  {
    standard: nist,
    clause: "3.1.2.2",
    setting: "onlineEmergencyCode.oneTimeUse",
    message: "a look-up secret succeeds only once; codes of this company may be used until they expire",
    remedy: "onlineEmergencyCode.oneTimeUse=true",
    broken: ({ onlineEmergencyCode }) => !onlineEmergencyCode.oneTimeUse,
  },
  {
    standard: nist,
    clause: "4.2.1.2",
    setting: "onlineEmergencyCode.expiryValue",
    message:
      "a recovery code that is read out over the phone lives 10 minutes at most; the company's default is longer",
    remedy: "onlineEmergencyCode.expiryUnit=minutes onlineEmergencyCode.expiryValue=10",
    broken: ({ onlineEmergencyCode: { expiryUnit, expiryValue } }) =>
      lifetimeMinutes({ unit: expiryUnit, value: expiryValue }) > 10,
  },
  {
    standard: nist,
    clause: "4.2.1.2",
    setting: "onlineEmergencyCode.locked",
    message: "the limits above hold only if a request cannot ask for more; the configuration is not locked",
    remedy: "onlineEmergencyCode.locked=true",
    broken: ({ onlineEmergencyCode }) => !onlineEmergencyCode.locked,
  },
  {
    standard: pci,
    clause: "8.3.4",
    setting: "lockout.tries",
    message: "access locks after at most 10 wrong tries; the company allows more",
    remedy: "lockout.tries=10",
    broken: ({ lockout }) => lockout.tries > 10,
  },
  {
    standard: pci,
    clause: "8.3.4",
    setting: "lockout.lockMinutes",
    message: "a lock lasts at least 30 minutes; the company's is shorter",
    remedy: "lockout.lockMinutes=30",
    broken: ({ lockout }) => lockout.lockMinutes < 30,
  },
  {
    standard: pci,
    clause: "8.5.1",
    setting: "onlineEmergencyCode.oneTimeUse",
    message: "an authentication factor must resist replay; codes of this company may be used until they expire",
    remedy: "onlineEmergencyCode.oneTimeUse=true",
    broken: ({ onlineEmergencyCode }) => !onlineEmergencyCode.oneTimeUse,
  },
  {
    standard: asvs,
    clause: "6.5.1",
    setting: "onlineEmergencyCode.oneTimeUse",
    message: "look-up secrets are usable only once; codes of this company may be used until they expire",
    remedy: "onlineEmergencyCode.oneTimeUse=true",
    broken: ({ onlineEmergencyCode }) => !onlineEmergencyCode.oneTimeUse,
  },
  {
    standard: asvs,
    clause: "6.3.8",
    setting: "answerTimeMs",
    message: "valid users cannot be told from the time an answer takes; the company answers as soon as it can",
    remedy: "answerTimeMs=50",
    broken: ({ answerTimeMs }) => answerTimeMs < 20,
  },
];

export function lintSettings(settings: Settings): SettingsFinding[] {
  return rules.filter((rule) => rule.broken(settings)).map(({ broken: _, ...finding }) => finding);
}
