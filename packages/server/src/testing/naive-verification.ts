/**
 * The verification that must not be: it reads, compares and decides, and then writes down what it decided.
 *
 * Run through the same races as the real one, it shows that those races can be lost.
 */

import { readCode } from "../emergency-codes/code.ts";
import type { CodeDigest } from "../emergency-codes/digest.ts";
import { digestCode, digestsEqual } from "../emergency-codes/digest.ts";
import type { Clock } from "../platform/clock.ts";
import type { Call } from "../principal.ts";
import type { TestCore } from "./core.ts";
import { openKeyring } from "./data-directory.ts";

type Core = Pick<TestCore, "db" | "company" | "rootKey" | "settings" | "audit" | "client"> & { clock: Clock };

export async function createNaiveVerification(core: Core) {
  const companyId = core.company.id;
  const { keyring } = await openKeyring(core);
  const keys = await keyring.fresh();

  return async function verify(userId: string, typed: string, call: Call = core.client): Promise<boolean> {
    const plainCode = readCode(typed);
    const row = await core.db.read
      .selectFrom("emergency_access")
      .selectAll()
      .where("user_id", "=", userId)
      .executeTakeFirstOrThrow();
    const { code_id: codeId, digest, salt, algorithm, iterations, pepper_kid: pepperKid, tries } = row;
    if (plainCode === undefined || codeId === null || salt === null || algorithm === null || iterations === null)
      return false;
    const { tries: limit } = (await core.settings.current()).settings.lockout;
    if (row.status !== "active" || row.user_enabled === 0 || tries >= limit) return false;

    const recipe = { salt, algorithm, iterations, pepperKid: pepperKid ?? "" };
    const typedDigest = await digestCode(plainCode, { companyId, userId, codeId }, recipe, keys.current("code_pepper"));
    const matched = digestsEqual(typedDigest, digest as CodeDigest);
    const change = matched
      ? { tries: 0, failures: 0, ...(row.one_time === 1 && { status: "consumed" as const }) }
      : { tries: tries + 1, failures: row.failures + 1 };
    await core.db.write(async (trx) => {
      await trx.updateTable("emergency_access").set(change).where("user_id", "=", userId).execute();
      const outcome = matched ? "success" : "refused";
      await core.audit.record(trx, call, {
        action: "emergency_code.verified",
        outcome,
        userId,
        details: { codeId },
      });
    });
    return matched;
  };
}
