/**
 * A guarded write: one row is changed if a condition holds for it, and rows that tell of it are inserted with it.
 *
 * Everything the condition asks about lies in the row that is changed. What became of it is an outcome of one or
 * more words; each word has rows of its own, and `none` those for a row that the condition did not hold for.
 * On PostgreSQL this is one statement, for one operation or for hundreds that wait at the same time.
 */
import type { Expression, ExpressionBuilder, RawBuilder, SqlBool } from "kysely";

export type Value = string | number | null;

/** Rows to insert when their word is part of the outcome. */
export interface Consequence {
  rows: readonly { table: string; values: Readonly<Record<string, Value>> }[];
  /** Called once the rows are durable, for counters. */
  written?(): void;
}

/** One use of a guarded write. Consequences are made only where their word can still come. */
export interface Operation<Input, Word extends string> {
  input: Input;
  consequences: { readonly [Name in Word | "none"]?: () => Consequence };
}

export type Inputs<Input> = { readonly [Name in keyof Input]: Expression<Input[Name]> };

export interface GuardedWriteDefinition<Tables, Table extends keyof Tables & string, Input> {
  table: Table;
  /** Columns that find the row, and the inputs that hold their values. The last one tells rows apart. */
  key: Readonly<Record<string, keyof Input & string>>;
  inputs: { readonly [Name in keyof Input]: "text" | "integer" };
  /** The condition on the row, as it is when its turn has come. */
  guard(eb: ExpressionBuilder<Tables, Table>, input: Inputs<Input>): Expression<SqlBool>;
  /** What the columns become. */
  set(input: Inputs<Input>): {
    readonly [Column in keyof Tables[Table]]?: Tables[Table][Column] | Expression<Tables[Table][Column]>;
  };
  /** Words with a space between them, from the row as it is after the update. */
  outcome: RawBuilder<string>;
  /** Tables that consequences go into, and their columns, all of them text. */
  inserts: Readonly<Record<string, readonly string[]>>;
}

/** A definition with what each dialect has made of it. */
export class GuardedWrite<Tables, Table extends keyof Tables & string, Input extends object, Word extends string> {
  readonly definition: GuardedWriteDefinition<Tables, Table, Input>;
  /** What a dialect compiled, for as long as its database is open. */
  readonly compiled = new WeakMap<object, unknown>();
  /** Only carries the type. */
  declare readonly word: Word;

  constructor(definition: GuardedWriteDefinition<Tables, Table, Input>) {
    this.definition = definition;
  }
}

// Past this line nobody knows what the tables are: the dialects take any definition.
export type AnyGuardedWrite = GuardedWrite<
  Record<string, Record<string, Value>>,
  string,
  Record<string, Value>,
  string
>;
export type AnyOperation = Operation<Record<string, Value>, string>;

/** What became of an operation, and what was inserted for it. */
export interface Done {
  words: readonly string[];
  consequences: readonly Consequence[];
}
