import { connect, type GlobalOptions } from "../connection.ts";
import { findUser } from "../find-user.ts";
import { print, printJson } from "../terminal.ts";

export async function unlockAccess(user: string, options: GlobalOptions): Promise<void> {
  const client = connect(options);
  const { id, label } = await findUser(client, user);
  await client.codes.unlock(id);
  if (options.json) return printJson({ userId: id, unlocked: true });
  print(`emergency access of ${label} is unlocked`);
}
