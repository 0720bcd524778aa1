/**
 * Which rows the table has.
 *
 * Every combination would take hours. Unless `--full` asks for them all, a row differs from the usual case in one thing at
 * the most; what a filter names is combined with everything.
 */
import { calls, type Dimensions, databases, type Options, tokenCaches } from "./options.ts";

export type Case = Dimensions;

type Values = { [Name in keyof Dimensions]: readonly Dimensions[Name][] };

const usual = { connections: 64, tokens: "hot", processes: 1 } as const;

export function planCases(options: Options): Case[] {
  const values = valuesFor(options);
  return values.database.flatMap((database) =>
    values.call.flatMap((call) =>
      values.users.flatMap((users) =>
        values.processes.flatMap((processes) =>
          values.tokens.flatMap((tokens) =>
            values.connections
              .map((connections): Case => ({ database, call, users, processes, tokens, connections }))
              .filter(makesSense)
              .filter((row) => options.full || isNearUsual(row, values, options)),
          ),
        ),
      ),
    ),
  );
}

/** The fewest and the most users. Few enough in a quick run that they are made at once. */
function usersIn({ quick, wanted }: Options): number[] {
  return wanted.users ?? (quick ? [200, 400] : [10_000, 1_000_000]);
}

function valuesFor(options: Options): Values {
  const { quick, wanted } = options;
  return {
    database: wanted.database ?? databases,
    call: wanted.call ?? calls,
    tokens: wanted.tokens ?? tokenCaches,
    processes: wanted.processes ?? [1, 2],
    connections: wanted.connections ?? (quick ? [1, 64] : [1, 16, 64, 256]),
    users: usersIn(options),
  };
}

/** SQLite serves one process; a call without a bearer token has no cold cache of them. */
function makesSense({ database, call, tokens, processes }: Case): boolean {
  return (database === "postgres" || processes === 1) && (tokens === "hot" || (call !== "verify" && call !== "authn"));
}

function isNearUsual(row: Case, values: Values, { quick, wanted }: Options): boolean {
  const differs = {
    connections: row.connections !== usual.connections,
    tokens: row.tokens !== usual.tokens,
    processes: row.processes !== usual.processes,
    users: row.users !== Math.min(...values.users),
  };
  const differences = Object.entries(differs).filter(
    ([name, does]) => does && wanted[name as keyof Dimensions] === undefined,
  );
  // A quick run proves only that every difference can be measured.
  const most = quick && row.call !== "issue" && row.call !== "verify" ? 0 : 1;
  return differences.length <= most;
}
