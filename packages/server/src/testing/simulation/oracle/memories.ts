/** What nodes remember, settings and leases: nobody acts on what no longer holds. */
import { lifetimeMinutes, type Settings } from "@sparekey/contract";
import type { AuditRecord } from "../../../audit/canonical.ts";
import { leaseMs } from "../../../revision/service.ts";
import type { HistoryCall } from "../history.ts";
import { msAt } from "../node.ts";
import { type Evidence, presentsCode } from "./evidence.ts";

/** More than two clocks of machines differ within a lease. */
const slackMs = 60;

export function checkMemories(evidence: Evidence): void {
  for (const record of evidence.records) {
    const call = evidence.callOf(record);
    const { settingsVersion } = record.details;
    if (call === undefined || settingsVersion === undefined || record.action === "settings.changed") continue;
    checkVersion(evidence, call, record);
    if (record.action === "emergency_code.issued" && record.outcome === "success") {
      checkPolicy(evidence, call, record, evidence.settings.get(Number(settingsVersion)));
    }
  }
  for (const call of evidence.calls) checkLease(evidence, call);
}

function checkVersion(evidence: Evidence, call: HistoryCall, record: AuditRecord) {
  const version = Number(record.details.settingsVersion);
  const before = { began: call.startedAt, "was decided": evidence.decidedAfter.get(record) ?? 0 };
  for (const [what, moment] of Object.entries(before)) {
    const oldest = evidence.settingsAcknowledgedBefore(moment);
    if (version >= oldest) continue;
    const change = evidence.calls.find(({ facts, kind }) => kind === "settings.change" && facts.version === oldest);
    evidence.report(
      "P11",
      `settings ${version} held though ${oldest} were acknowledged before it ${what}`,
      change,
      call,
    );
    return;
  }
}

/** With the lock on, the company's lifetime and kind hold whatever was asked for. */
function checkPolicy(evidence: Evidence, call: HistoryCall, { details }: AuditRecord, settings: Settings | undefined) {
  const { locked, expiryValue, expiryUnit, oneTimeUse } = settings?.onlineEmergencyCode ?? {};
  if (!locked || expiryValue === undefined || expiryUnit === undefined) return;
  const { skewMs } = evidence.run.weather;
  const issuedMs =
    msAt(details.expiresAt as never) - lifetimeMinutes({ value: expiryValue, unit: expiryUnit }) * 60_000;
  const isInTime = issuedMs >= call.startedMs - skewMs - 1 && issuedMs <= call.endedMs + skewMs;
  if (details.oneTime !== oneTimeUse || !isInTime) evidence.report("P11", "a code that the lock does not allow", call);
}

/** A node that cannot read the revision answers nothing once its lease is over. */
function checkLease(evidence: Evidence, call: HistoryCall) {
  const { answer, startedMs, endedMs, node } = call;
  if (answer.is === "unavailable" || answer.is === "lost" || answer.is === "bug") return;
  if (!presentsCode(call) && call.kind !== "issue") return;
  for (const outage of evidence.run.history.outages) {
    const isWithin = startedMs > outage.fromMs + leaseMs + slackMs && endedMs < outage.toMs;
    if (outage.node === node && outage.blocked !== "writes" && isWithin) {
      evidence.report(
        "lease",
        `answered by a node that has been cut off for ${Math.round(startedMs - outage.fromMs)} ms`,
        call,
      );
    }
  }
}
