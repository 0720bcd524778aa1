import type { EmergencyAccess, UserDetails } from "@sparekey/sdk";
import { connect, type GlobalOptions } from "../connection.ts";
import { findUser } from "../find-user.ts";
import { localTime, withLocalTimes } from "../local-time.ts";
import { describe, printable, table } from "../printable.ts";
import { paint, print, printJson } from "../terminal.ts";

export async function showUser(user: string, options: GlobalOptions): Promise<void> {
  const client = connect(options);
  const { id, label, details } = await findUser(client, user);
  const access = await client.codes.access(id);
  if (options.json) return printJson({ user: details ?? null, emergencyAccess: access });
  print(`${paint("bold", label)}\n${describeUser(id, details, access)}\n`);
  print(
    `${paint("bold", "emergency access")}\n${describeAccess(access)}\n${describe(withLocalTimes(access.explanation))}`,
  );
}

function describeUser(id: string, details: UserDetails | undefined, access: EmergencyAccess): string {
  const text = (value: string | undefined) => (value ? printable(value) : undefined);
  return table(
    [
      ["username", text(details?.principalUsername)],
      ["alternate username", text(details?.alternateUsername)],
      ["email", text(details?.emailAddress)],
      ["groups", text(details?.identitySourceSpecificGroups.join(", "))],
      ["status", access.userStatus],
      ["id", printable(id)],
    ],
    "  ",
  );
}

function describeAccess(access: EmergencyAccess): string {
  const instant = (value: string | null) => (value === null ? undefined : localTime(value));
  const none = access.codeId === null;
  return table(
    [
      ["code", access.status],
      ["use", none ? undefined : describeUse(access.oneTime)],
      ["issued", instant(access.issuedAt)],
      ["ends", instant(access.expiresAt)],
      ["ends offline", instant(access.offlineExpiresAt)],
      ["last used", instant(access.lastUsedAt)],
      ["wrong codes", String(access.failures)],
      ["locked until", access.locked ? instant(access.lockedUntil) : undefined],
    ],
    "  ",
  );
}

function describeUse(oneTime: boolean): string {
  return oneTime ? "once" : "until it ends";
}
