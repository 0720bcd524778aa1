import { connect, type GlobalOptions } from "../connection.ts";
import { findUser } from "../find-user.ts";
import { print, printJson } from "../terminal.ts";

export async function revokeCode(user: string, options: GlobalOptions): Promise<void> {
  const client = connect(options);
  const { id, label } = await findUser(client, user);
  await client.codes.revoke(id);
  if (options.json) return printJson({ userId: id, revoked: true });
  print(`${label} has no emergency code any more`);
}
