/** `sparekey-server keys rotate`: new keys for the service's own work, beside a live server. */
import type { Configuration } from "../config.ts";
import { countLiveCodes } from "../emergency-codes/service.ts";
import type { Rotation } from "../keyring/rotation-service.ts";
import { type KeyPurpose, keyPurposes } from "../keyring/service.ts";
import { CommandError } from "./command-error.ts";
import { getFittingRootKey, withKeyring } from "./open-keyring.ts";

const maxOverlapMs = 7 * 24 * 60 * 60_000;
const unitsMs: Record<string, number> = { s: 1_000, m: 60_000, h: 60 * 60_000, d: 24 * 60 * 60_000 };

export interface RotationMade {
  rotated: Rotation[];
  /** Codes that would last longer than the key of their digest, and so end with it. */
  codesCutShort: number;
}

/** Every node knows the new keys when this is done, and uses them from the instant that is answered. */
export async function rotateKeys(
  configuration: Configuration,
  request: { purpose: KeyPurpose | "all"; overlap: string | undefined },
): Promise<RotationMade> {
  const purposes = request.purpose === "all" ? keyPurposes : [request.purpose];
  const overlapMs = request.overlap === undefined ? undefined : readOverlap(request.overlap);
  return withKeyring(configuration, async (keyring) => {
    const { db, company, rotation } = keyring;
    const rootKey = await getFittingRootKey(configuration, keyring);
    const rotated = await rotation.rotate(rootKey, { purposes, overlapMs });
    const peppers = rotated.find(({ purpose }) => purpose === "code_pepper");
    if (peppers === undefined) return { rotated, codesCutShort: 0 };
    const lasting = await countLiveCodes(db.read, company.id, peppers.retiredAt);
    return { rotated, codesCutShort: peppers.oldKids.reduce((sum, kid) => sum + (lasting.get(kid) ?? 0), 0) };
  });
}

/** What was made, when it counts, and what becomes of the codes. */
export function describeRotation({ rotated, codesCutShort }: RotationMade): string {
  const lines = rotated.map(
    ({ purpose, newKid, activeAt, retiredAt }) =>
      `  ${purpose.padEnd(17)}${newKid}  used from ${activeAt}, older keys end ${retiredAt}`,
  );
  const codes = rotated.find(({ purpose }) => purpose === "code_pepper");
  const lasting =
    codesCutShort === 0
      ? "Codes issued before keep working until they expire."
      : `${codesCutShort} live code(s) issued under an older key would last longer: they stop working at ${codes?.retiredAt}.`;
  return ["Made new keys, which every node knows by now:", ...lines, ...(codes ? ["", lasting] : [])].join("\n");
}

/** `2h`, `7d`, `0`. */
export function readOverlap(text: string): number {
  const [, count, unit] = /^(\d{1,6})([smhd])?$/.exec(text) ?? [];
  const overlapMs = text === "0" ? 0 : Number(count) * (unitsMs[unit ?? ""] ?? Number.NaN);
  if (overlapMs >= 0 && overlapMs <= maxOverlapMs) return overlapMs;
  throw new CommandError(`--overlap is ${text}: it must be a duration such as 2h or 7d, or 0`, {
    hint: "codes live for 7 days at the most, so no overlap need be longer",
    exitCode: 2,
  });
}
