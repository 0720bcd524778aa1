import { groupCode, type IssuedEmergencyCode, readAloud } from "@sparekey/sdk";
import { describeLifetime, localTime } from "../local-time.ts";
import { printable, table } from "../printable.ts";
import { paint } from "../terminal.ts";

type Source = IssuedEmergencyCode["settings"]["lifetime"]["source"];

const sources: Record<Source, string> = {
  asked: "as asked",
  default: "the company's default",
  lock: "locked by the company",
};

/** The page that shows a plain code, once; again for who has named the call and names it again. */
export function describeIssuedCode(issued: IssuedEmergencyCode, label: string, named: boolean): string {
  const { lifetime, oneTime } = issued.settings;
  const code = groupCode(printable(issued.code));
  const facts = table([
    ["read aloud", readAloud(code)],
    ["ends", localTime(issued.expiresAt)],
    ["ends offline", issued.offlineExpiresAt === null ? undefined : localTime(issued.offlineExpiresAt)],
    ["lifetime", `${describeLifetime(lifetime)} (${sources[lifetime.source]})`],
    ["use", `${oneTime.value ? "once" : "until it ends"} (${sources[oneTime.source]})`],
  ]);
  const again = named
    ? "only this command with this key can show this code again, for 10 minutes"
    : "no one can show this code again";
  return `emergency code for ${label}\n\n    ${paint(["bold", "inverse"], ` ${code} `)}\n\n${facts}\n${again}\n`;
}
