/** What is left of a run, laid out for those who judge it. */
import type { Settings } from "@sparekey/contract";
import type { AuditRecord } from "../../../audit/canonical.ts";
import { settingsOf } from "../../../settings/service.ts";
import { type HistoryCall, isUncertain } from "../history.ts";
import type { Run } from "../simulate.ts";

/** What must not have happened, by which rule, and the calls that show it. */
export interface Finding {
  rule: string;
  what: string;
  calls: HistoryCall[];
}

export class Evidence {
  readonly run: Run;
  readonly calls: HistoryCall[];
  readonly records: AuditRecord[];
  readonly #recordsOf: Map<string | null, AuditRecord[]>;
  readonly #callOf: Map<string | null, HistoryCall>;
  /** By version. The first ones are the profile's. */
  readonly settings = new Map<number, Settings>([[1, settingsOf("vendor")]]);
  /** Of each record, a moment before it was decided: whatever stands behind the record of a call came after its begin. */
  readonly decidedAfter = new Map<AuditRecord, number>();
  readonly findings: Finding[] = [];

  constructor(run: Run) {
    this.run = run;
    this.calls = run.history.calls;
    this.records = run.records;
    this.#recordsOf = Map.groupBy(run.records, ({ request }) => request);
    this.#callOf = new Map(this.calls.map((call) => [call.id, call]));
    let latestBegin = 0;
    for (const record of this.records) {
      const { action, details } = record;
      latestBegin = Math.max(latestBegin, this.callOf(record)?.startedAt ?? 0);
      this.decidedAfter.set(record, latestBegin);
      if (action !== "settings.changed") continue;
      this.settings.set(Number(details.settingsVersion), JSON.parse(String(details.to)) as Settings);
    }
  }

  recordsOf({ id }: HistoryCall): AuditRecord[] {
    return this.#recordsOf.get(id) ?? [];
  }

  callOf({ request }: AuditRecord): HistoryCall | undefined {
    return this.#callOf.get(request);
  }

  /** The call that issued a code, and the record of it. */
  issueOf(codeId: unknown): { call: HistoryCall; record: AuditRecord } | undefined {
    const record = this.records.find(
      ({ action, outcome, details }) =>
        action === "emergency_code.issued" && outcome === "success" && details.codeId === codeId,
    );
    const call = record && this.callOf(record);
    return record && call && { call, record };
  }

  /** The newest settings that were acknowledged before a moment. */
  settingsAcknowledgedBefore(moment: number): number {
    const changes = this.calls.filter(
      ({ kind, answer, endedAt }) => kind === "settings.change" && answer.is === "done" && endedAt < moment,
    );
    return Math.max(1, ...changes.map(({ facts }) => facts.version ?? 1));
  }

  deletionsOf(keyId: string | undefined): HistoryCall[] {
    return this.calls.filter(({ kind, facts }) => kind === "key.delete" && facts.keyId === keyId);
  }

  /** Whether one call was over, with all that it could do, before another began. */
  isOverBefore(earlier: HistoryCall, later: HistoryCall): boolean {
    return !isUncertain(earlier) && earlier.endedAt < later.startedAt;
  }

  report(rule: string, what: string, ...calls: (HistoryCall | undefined)[]): void {
    this.findings.push({ rule, what, calls: calls.filter((call) => call !== undefined) });
  }
}

/** Whether the call presents a code. */
export function presentsCode({ facts }: HistoryCall): boolean {
  return "typed" in facts;
}
