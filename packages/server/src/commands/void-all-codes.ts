/** `sparekey-server codes void-all`: ends every live code at once, beside a live server. */
import { createInterface } from "node:readline/promises";
import { AuditService } from "../audit/service.ts";
import type { Configuration } from "../config.ts";
import { systemClock } from "../platform/clock.ts";
import { systemRandom } from "../platform/random.ts";
import { voidEveryCode } from "../rollback/service.ts";
import { CommandError } from "./command-error.ts";
import { getCompany, openDatabase } from "./open-installation.ts";

interface VoidAll {
  /** For the record. */
  reason: string | undefined;
  /** Said beforehand: do not ask. */
  yes: boolean;
}

const maxReason = 500;

/** Answers how many codes were live. */
export async function voidAllCodes({ config, secrets }: Configuration, { reason, yes }: VoidAll): Promise<number> {
  if (reason !== undefined && reason.length > maxReason) {
    throw new CommandError(`the reason is longer than ${maxReason} characters`, { hint: "shorten it", exitCode: 2 });
  }
  const db = openDatabase(config, secrets);
  try {
    const company = await getCompany(db, config);
    if (!yes) await confirm(company.name);
    const parts = { db, companyId: company.id, clock: systemClock, random: systemRandom };
    return await voidEveryCode({ ...parts, audit: new AuditService(parts) }, reason);
  } finally {
    await db.close();
  }
}

async function confirm(companyName: string) {
  const refused = (hint: string) => new CommandError("nothing was done", { hint, exitCode: 2 });
  if (!process.stdin.isTTY || !process.stderr.isTTY) throw refused("confirm with --yes where nobody can be asked");
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await prompt.question(
      `End every live code of ${companyName}? Their users will need new ones. yes/no: `,
    );
    if (answer.trim().toLowerCase() !== "yes") throw refused("answer yes to end them");
  } finally {
    prompt.close();
  }
}
