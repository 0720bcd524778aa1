/** Instants as a person here reads them, with the zone named: a help desk and its callers may sit in two. */

const day = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", month: "short", year: "numeric" });
const time = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const offset = new Intl.DateTimeFormat("en-GB", { timeZoneName: "longOffset" });

/** `Fri, 7 Aug 2026, 15:34 (Europe/Berlin, GMT+02:00)`. */
export function localTime(instant: string): string {
  const date = new Date(instant);
  const zone = day.resolvedOptions().timeZone;
  const offsetName = offset.formatToParts(date).find(({ type }) => type === "timeZoneName")?.value ?? "";
  const zoneName = /^GMT([+-]00:00)?$/.test(offsetName) ? zone : `${zone}, ${offsetName}`;
  return `${day.format(date)}, ${time.format(date)} (${zoneName})`;
}

const instants = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g;

/** A text of the server with its instants, which are UTC, turned into local ones. */
export function withLocalTimes(text: string, format: (instant: string) => string = localTime): string {
  return text.replace(instants, (instant) => format(instant));
}

const stamp = new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeStyle: "medium" });

/** `2026-08-07 15:34:44`, local, for lines that stand under each other. */
export function localStamp(instant: string): string {
  return stamp.format(new Date(instant));
}

/** `7 days`, `1 hour`. */
export function describeLifetime({ value, unit }: { value: number; unit: "days" | "hours" | "minutes" }): string {
  return `${value} ${value === 1 ? unit.slice(0, -1) : unit}`;
}
