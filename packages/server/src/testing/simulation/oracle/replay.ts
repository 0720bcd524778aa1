/** The record, told again from its beginning: it could have happened, in this order, and it ends where the rows are. */
import { settingsOf } from "../../../settings/service.ts";
import { AccessModel } from "../../access-model.ts";
import { isUncertain } from "../history.ts";
import type { Evidence } from "./evidence.ts";

/** What the model's words are a breach of. */
const rules = [
  ["accepted although", "P4"],
  ["counted although", "P3"],
] as const;

export function checkReplay(evidence: Evidence): void {
  checkOrder(evidence);
  const model = new AccessModel(settingsOf("vendor").lockout, 1);
  for (const record of evidence.records) {
    const before = model.violations.length;
    model.replay(record);
    for (const violation of model.violations.slice(before)) {
      const rule = rules.find(([beginning]) => violation.startsWith(beginning))?.[1] ?? "P5";
      evidence.report(rule, `the record tells what could not be: ${violation}`, evidence.callOf(record));
    }
  }
  checkAccessRows(evidence, model);
  checkOtherRows(evidence);
}

/** A call that was over before another began is recorded before it. */
function checkOrder(evidence: Evidence) {
  let latestStart = 0;
  for (const record of evidence.records) {
    const call = evidence.callOf(record);
    if (call === undefined) continue;
    if (!isUncertain(call) && call.endedAt < latestStart) evidence.report("P1", "recorded after a later call", call);
    latestStart = Math.max(latestStart, call.startedAt);
  }
}

function checkAccessRows(evidence: Evidence, model: AccessModel) {
  const { access } = evidence.run.rows;
  if (access.length !== model.users.size) evidence.report("P5", "users without a record, or records without a user");
  for (const row of access) {
    const user = model.users.get(row.user_id);
    const expected = {
      ...{ user_enabled: user?.enabled ? 1 : 0, code_id: user?.code?.id ?? null, status: user?.code?.status ?? null },
      ...{ tries: user?.tries, failures: user?.failures, locked_until: user?.lockedUntil },
    };
    const { user_enabled, code_id, status, tries, failures, locked_until } = row;
    const found = { user_enabled, code_id, status, tries, failures, locked_until };
    if (JSON.stringify(found) === JSON.stringify(expected)) continue;
    const about = evidence.calls.filter(({ facts }) => facts.userId === row.user_id);
    const what = `the row is ${JSON.stringify(found)} and the record says ${JSON.stringify(expected)}`;
    evidence.report("P5", what, ...about);
  }
}

function checkOtherRows(evidence: Evidence) {
  const { rows } = evidence.run;
  const of = (action: string) => evidence.records.filter((record) => record.action === action);
  const status = new Map<string | null, string>();
  for (const { action, user } of evidence.records) {
    if (action === "user.created" || action === "user.enabled") status.set(user, "enabled");
    if (action === "user.disabled") status.set(user, "disabled");
  }
  const keys = new Set(of("authn_key.created").map(({ details }) => details.keyId));
  for (const { details } of of("authn_key.deleted")) keys.delete(details.keyId);
  const changes = of("settings.changed");
  const last = changes.at(-1)?.details;
  const expected = {
    users: [...status].map(([id, is]) => `${id} ${is}`).sort(),
    keys: [...keys].sort(),
    settings: `${last?.settingsVersion ?? 1} ${last?.to ?? JSON.stringify(settingsOf("vendor"))}`,
    revision: 1 + changes.length + of("authn_key.deleted").length,
    personal: evidence.records.flatMap(({ id, personal }) => (personal === null ? [] : id)).sort(),
  };
  const found = {
    users: rows.users.map(({ id, status: is }) => `${id} ${is}`).sort(),
    keys: rows.keys.map(({ id }) => id).sort(),
    settings: `${rows.settings.version} ${rows.settings.value}`,
    revision: rows.revision,
    personal: [...rows.personal].sort(),
  };
  for (const name of Object.keys(expected) as (keyof typeof expected)[]) {
    if (JSON.stringify(found[name]) === JSON.stringify(expected[name])) continue;
    evidence.report(
      "P5",
      `${name} are ${JSON.stringify(found[name])} and the record says ${JSON.stringify(expected[name])}`,
    );
  }
}
