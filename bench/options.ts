/** What `npm run bench -- …` was asked to do. */
import { join } from "node:path";
import { parseArgs } from "node:util";

export const databases = ["sqlite", "postgres"] as const;
export const calls = ["issue", "verify", "lookup", "mixed", "authn"] as const;
export const tokenCaches = ["hot", "cold"] as const;
export type DatabaseKind = (typeof databases)[number];
export type CallName = (typeof calls)[number];
/** Whether the server has seen a bearer token's signature before. */
export type TokenCache = (typeof tokenCaches)[number];

/** Everything that a row of the table can vary in. */
export interface Dimensions {
  database: DatabaseKind;
  call: CallName;
  connections: number;
  users: number;
  tokens: TokenCache;
  /** Server processes behind the same load. */
  processes: number;
}

export interface Options {
  quick: boolean;
  full: boolean;
  figures: boolean;
  rounds: number;
  seconds: number;
  /** The values that are wanted; undefined leaves a dimension to the plan. */
  wanted: { [Name in keyof Dimensions]: Dimensions[Name][] | undefined };
  json: string;
  /** Where the servers write a CPU profile each, when they stop. */
  profile: string | undefined;
}

const several = { type: "string", multiple: true } as const;
const given = {
  quick: { type: "boolean", default: false },
  full: { type: "boolean", default: false },
  figures: { type: "boolean", default: true },
  database: several,
  call: several,
  connections: several,
  users: several,
  tokens: several,
  processes: several,
  rounds: { type: "string" },
  seconds: { type: "string" },
  json: { type: "string" },
  profile: { type: "string" },
} as const;

export function readOptions(args: string[]): Options {
  const { values } = parseArgs({ args, options: given, allowNegative: true });
  const { quick, full, figures, profile } = values;
  return {
    ...{ quick, full, figures, profile },
    rounds: number("rounds", values.rounds) ?? (quick ? 1 : 5),
    seconds: number("seconds", values.seconds) ?? (quick ? 0.2 : 3),
    json: values.json ?? join(import.meta.dirname, "results", "latest.json"),
    wanted: {
      database: words("database", values.database, databases),
      call: words("call", values.call, calls),
      tokens: words("tokens", values.tokens, tokenCaches),
      connections: numbers("connections", values.connections),
      users: numbers("users", values.users),
      processes: numbers("processes", values.processes),
    },
  };
}

/** `--call issue,verify` and `--call issue --call verify` are the same. */
function parts(values: string[] | undefined): string[] | undefined {
  return values?.flatMap((value) => value.split(","));
}

function words<Word extends string>(name: string, values: string[] | undefined, known: readonly Word[]) {
  return parts(values)?.map((value) => {
    const word = known.find((each) => each === value);
    if (word === undefined) throw new Error(`--${name} is ${value}: it must be one of ${known.join(", ")}`);
    return word;
  });
}

function numbers(name: string, values: string[] | undefined): number[] | undefined {
  return parts(values)?.map((value) => number(name, value) as number);
}

function number(name: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (!(Number(value) > 0)) throw new Error(`--${name} is ${value}: it must be a number above 0`);
  return Number(value);
}
