import { onPostgres } from "./data-directory.ts";

/** A statement that has every row of a table refused, and one that takes it back. To be run by the owner. */
export function refuseRows(table: string, how = "ABORT"): [string, string] {
  if (!onPostgres) {
    const refuse = `BEGIN SELECT RAISE(${how}, 'refused'); END`;
    return [`CREATE TRIGGER fault BEFORE INSERT ON ${table} ${refuse}`, "DROP TRIGGER fault"];
  }
  const change = `ALTER TABLE ${table}`;
  return [`${change} ADD CONSTRAINT fault CHECK (false) NOT VALID`, `${change} DROP CONSTRAINT fault`];
}
