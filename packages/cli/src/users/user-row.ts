/** From a row of the file to what the server takes. Pure. */
import type { UserInput } from "@sparekey/sdk";
import { CliError } from "../cli-error.ts";

const requiredColumns = ["username", "email", "firstName", "lastName"] as const;
const optionalColumns = ["status", "managerEmail", "groups", "alternateUsername"] as const;
const columns: readonly string[] = [...requiredColumns, ...optionalColumns];

export type CsvColumn = (typeof requiredColumns)[number] | (typeof optionalColumns)[number];

/** Refuses a file whose columns are not ours, before anything is sent. */
export function checkHeader(header: string[]): string[] {
  const missing = requiredColumns.filter((column) => !header.includes(column));
  const unknown = header.filter((column) => !columns.includes(column));
  const twice = header.filter((column, place) => header.indexOf(column) !== place);
  const hint = `the first line names the columns, of which these are known: ${columns.join(", ")}`;
  if (missing.length > 0) throw new CliError(`the file has no column ${missing.join(", ")}`, { hint });
  if (unknown.length > 0) throw new CliError(`the file has an unknown column ${JSON.stringify(unknown[0])}`, { hint });
  if (twice.length > 0) throw new CliError(`the file has the column ${twice[0]} twice`, { hint });
  return header;
}

/** A user, or why the row cannot be one. */
export type UserRow = { user: UserInput } | { problem: string };

/**
 * Checks only what the server could not tell apart: all the rest is its to refuse, row by row.
 *
 * A column that is not in the file is left out, so that the user keeps the value; an empty field clears it.
 */
export function readUserRow(fields: Partial<Record<CsvColumn, string>>): UserRow {
  const { username = "", email = "", firstName = "", lastName = "", status = "" } = fields;
  if (username === "" || email === "") return { problem: `${username === "" ? "username" : "email"} is empty` };
  const user: UserInput = { username, email, firstName, lastName };
  if (status !== "") {
    const word = status.toLowerCase();
    if (word !== "enabled" && word !== "disabled") return { problem: "status is neither enabled nor disabled" };
    user.status = word;
  }
  if (fields.alternateUsername !== undefined) user.alternateUsername = fields.alternateUsername || null;
  if (fields.managerEmail !== undefined) user.managerEmail = fields.managerEmail || null;
  if (fields.groups !== undefined) user.groups = readGroups(fields.groups);
  return { user };
}

function readGroups(field: string): string[] {
  const names = field.split(";").map((name) => name.trim());
  return [...new Set(names.filter((name) => name !== ""))];
}
