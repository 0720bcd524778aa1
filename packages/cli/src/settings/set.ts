import type { Settings } from "@sparekey/sdk";
import { CliError } from "../cli-error.ts";
import { connect, type GlobalOptions } from "../connection.ts";
import { printable } from "../printable.ts";
import { print, printJson } from "../terminal.ts";
import { assign, describeChanges, flatten, readAssignment } from "./dotted-keys.ts";

export async function setSettings(assignments: readonly string[], options: GlobalOptions): Promise<void> {
  const client = connect(options);
  const current = await client.settings.get();
  const wanted = change(current.settings, assignments);
  // Writing what is there already would be a change in the record that changed nothing.
  const differs = describeChanges(current.settings, wanted).length > 0;
  const stored = differs ? await client.settings.put(wanted, current.etag) : current;
  if (options.json) return printJson({ version: stored.version ?? null, settings: stored.settings });
  const changes = describeChanges(current.settings, stored.settings);
  print(changes.length === 0 ? "nothing changed" : changes.map(printable).join("\n"));
}

/** The server checks the values; here only the names are, since a new name is a slip of the hand. */
function change(settings: Settings, assignments: readonly string[]): Settings {
  let wanted: Record<string, unknown> = settings;
  for (const text of assignments) {
    const assignment = readAssignment(text);
    if (!assignment) throw new CliError(`not KEY=VALUE: ${printable(text)}`, { hint: "for example lockout.tries=10" });
    const changed = assign(wanted, assignment.key, assignment.value);
    if (!changed) {
      const known = flatten(settings).map(([key]) => key);
      throw new CliError(`no setting is called ${printable(assignment.key)}`, {
        hint: `there are ${known.join(", ")}`,
      });
    }
    wanted = changed;
  }
  return wanted as Settings;
}
