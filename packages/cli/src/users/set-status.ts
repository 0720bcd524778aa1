import { connect, type GlobalOptions } from "../connection.ts";
import { findUser } from "../find-user.ts";
import { print, printJson } from "../terminal.ts";

export async function setUserStatus(
  user: string,
  status: "Enabled" | "Disabled",
  options: GlobalOptions,
): Promise<void> {
  const client = connect(options);
  const { id, label } = await findUser(client, user);
  const changed = await client.vendor.setUserStatus(id, status);
  if (options.json) return printJson(changed);
  print(`${label} is ${changed.userStatus.toLowerCase()}`);
}
