import { connect, type GlobalOptions } from "../connection.ts";
import { printable, table } from "../printable.ts";
import { print, printJson } from "../terminal.ts";
import { flatten, showValue } from "./dotted-keys.ts";

export async function getSettings(options: GlobalOptions): Promise<void> {
  const { settings, version } = await connect(options).settings.get();
  if (options.json) return printJson({ version: version ?? null, settings });
  print(table(flatten(settings).map(([key, value]) => [key, printable(showValue(value))])));
}
