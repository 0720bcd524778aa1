/** What `serve` does about a database that was put back to an earlier state behind its back. */
import { join } from "node:path";
import { AuditService } from "../audit/service.ts";
import type { Company } from "../installation/service.ts";
import { systemClock } from "../platform/clock.ts";
import type { Database } from "../platform/database/database.ts";
import type { Log } from "../platform/log.ts";
import { systemRandom } from "../platform/random.ts";
import {
  acceptRollback,
  currentMark,
  findRollback,
  onceDurable,
  type RecordMark,
  type Rollback,
  RollbackWatch,
  readMark,
  UnreadableMark,
  writeMark,
} from "../rollback/service.ts";
import type { Tables } from "../schema/tables.ts";
import { CommandError } from "./command-error.ts";
import { markFile } from "./open-installation.ts";

interface Guarded {
  db: Database<Tables>;
  company: Company;
  dataDir: string;
  log: Log;
  /** `--accept-rollback` was given. */
  accept: boolean;
}

/** Compares the database with the record mark, and answers what goes on comparing while the service runs. */
export async function guardAgainstRollback({ db, company, dataDir, log, accept }: Guarded): Promise<RollbackWatch> {
  const companyId = company.id;
  const markPath = join(dataDir, markFile);
  const known = readOrExplain(markPath, accept);
  const rollback = known.kind === "missing" ? undefined : await findRollback(db.read, companyId, known.mark);
  if (rollback !== undefined && !accept) throw explain(rollback, markPath);
  if (rollback !== undefined) {
    const parts = { db, companyId, clock: systemClock, random: systemRandom };
    const voided = await acceptRollback({ ...parts, audit: new AuditService(parts) }, rollback);
    log.warn({ ...rollback, voided }, "rollback accepted: every code that was live is void");
  } else if (known.kind === "missing") {
    log.info({ markPath }, "no record mark yet: the first start on this machine");
  } else if (accept) {
    log.info("nothing went back: --accept-rollback had nothing to do");
  }
  const mark = await currentMark(db.read, companyId);
  await onceDurable(db, companyId);
  if (mark !== undefined) await writeMark(markPath, mark);
  return new RollbackWatch({ db, companyId, clock: systemClock, log, markPath, mark });
}

type Known = { kind: "missing" } | { kind: "found"; mark: RecordMark } | { kind: "unreadable"; mark: undefined };

function readOrExplain(markPath: string, accept: boolean): Known {
  try {
    const mark = readMark(markPath);
    return mark === undefined ? { kind: "missing" } : { kind: "found", mark };
  } catch (error) {
    if (!(error instanceof UnreadableMark)) throw error;
    if (accept) return { kind: "unreadable", mark: undefined };
    throw new CommandError(error.message, {
      hint: "without it nobody can tell whether the database went back; void every live code and go on with: sparekey-server serve --accept-rollback",
      exitCode: 7,
      cause: error,
    });
  }
}

function explain({ kind, lost, newest }: Rollback, markPath: string): CommandError {
  const seen = `record ${lost?.sequence}, which this machine has seen (${markPath})`;
  const what = {
    behind: `the database went back to an earlier state: it ends at record ${newest?.sequence ?? 0}, before ${seen}`,
    forked: `the database went back to an earlier state and was written since: it has another record in the place of ${seen}`,
    other_company: `the database is another company's than ${seen}`,
  }[kind];
  return new CommandError(what, {
    hint: "used and revoked codes may be live in it again; put the newest database back, or void every live code and go on with: sparekey-server serve --accept-rollback",
    exitCode: 7,
  });
}
