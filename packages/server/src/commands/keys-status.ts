/** `sparekey-server keys status`: the keyring as it lies in the database. Needs no root key. */
import type { Configuration } from "../config.ts";
import { countLiveCodes } from "../emergency-codes/service.ts";
import { type KeyState, listKeyStates } from "../keyring/service.ts";
import { withKeyring } from "./open-keyring.ts";

export type ShownKey = KeyState & {
  /** Codes that this key is needed for; null where the key is for something else. */
  liveCodes: number | null;
};

export function keysStatus(configuration: Configuration): Promise<ShownKey[]> {
  return withKeyring(configuration, async ({ db, company, clock }) => {
    const now = clock.now();
    const codes = await countLiveCodes(db.read, company.id, now);
    const states = await listKeyStates(db.read, company.id, now);
    return states.map((key) => ({
      ...key,
      liveCodes: key.purpose === "code_pepper" && key.state !== "retired" ? (codes.get(key.kid) ?? 0) : null,
    }));
  });
}

export function describeKeys(keys: ShownKey[]): string {
  return keys
    .map(({ purpose, kid, state, activeAt, retiredAt, liveCodes }) =>
      [
        `${purpose.padEnd(17)}${kid}  ${state.padEnd(8)}since ${activeAt}`,
        ...(retiredAt === null ? [] : [`${state === "retired" ? "ended" : "ends"} ${retiredAt}`]),
        ...(liveCodes === null ? [] : [`${liveCodes} live code(s)`]),
      ].join("  "),
    )
    .join("\n");
}
