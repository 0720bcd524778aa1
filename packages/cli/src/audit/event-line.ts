import type { AuditEvent } from "@sparekey/sdk";
import { localStamp, withLocalTimes } from "../local-time.ts";
import { printable } from "../printable.ts";
import { describeChanges, showValue } from "../settings/dotted-keys.ts";
import { paint } from "../terminal.ts";

const actionWidth = 25;
const outcomeWidth = 7;

// Ids that lead to other records, and what the line shows in another place. `--json` has them all.
const leftOut = new Set(["codeId", "attemptId", "pepperKid", "settingsVersion", "username", "loginName", "from", "to"]);

/** One event as one line: when, what, how it ended, about whom, by whom, and what else it says. */
export function describeEvent(event: AuditEvent): string {
  const colour = event.outcome === "refused" ? "red" : "green";
  const outcome = paint(colour, event.outcome.padEnd(outcomeWidth));
  const rest = [describeWho(event), `by ${describeActor(event)}`, ...describeRest(event)].filter((part) => part !== "");
  return `${localStamp(event.at)}  ${printable(event.action).padEnd(actionWidth)}  ${outcome}  ${printable(rest.join("  "))}`;
}

function describeWho({ personal, userId }: AuditEvent): string {
  return String(personal?.username ?? personal?.loginName ?? userId ?? "");
}

/** The start of the key's id is enough to tell a few keys apart. */
function describeActor({ actor }: AuditEvent): string {
  const kind = actor.kind.replace("_", " ");
  return actor.id === null ? kind : `${kind} ${actor.id.slice(0, 8)}`;
}

function describeRest({ reason, personal, details }: AuditEvent): string[] {
  const facts = Object.entries({ ...details, ...personal })
    .filter(([name, value]) => !leftOut.has(name) && value !== null)
    .map(([name, value]) => `${name}=${withLocalTimes(showValue(value), localStamp)}`);
  return [...(reason === null ? [] : [reason]), ...settingsChanges(details), ...facts];
}

/** `settings.changed` keeps both documents as JSON text. */
function settingsChanges({ from, to }: Record<string, unknown>): string[] {
  if (typeof from !== "string" || typeof to !== "string") return [];
  try {
    return describeChanges(JSON.parse(from), JSON.parse(to));
  } catch {
    return [];
  }
}
