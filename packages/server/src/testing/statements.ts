/** Every statement that this process sends to its database, without its values. */
import { StatementSync } from "node:sqlite";
import { mock } from "node:test";
import pg from "pg";

export interface StatementLog {
  /** What has run since the last call. */
  take(): string[];
  stop(): void;
}

export function startStatementLog(): StatementLog {
  let statements: string[] = [];
  const methods = (["all", "get", "run"] as const).map((name) => {
    const original = StatementSync.prototype[name] as (this: StatementSync, ...values: unknown[]) => never;
    return mock.method(StatementSync.prototype, name, function (this: StatementSync, ...values: unknown[]) {
      statements.push(this.sourceSQL);
      return original.apply(this, values);
    });
  });
  const query = pg.Client.prototype.query as (this: pg.Client, ...args: unknown[]) => unknown;
  const sent = mock.method(pg.Client.prototype, "query", function (this: pg.Client, ...args: unknown[]) {
    const [first] = args as (string | { text: string })[];
    statements.push(typeof first === "string" ? first : (first?.text ?? ""));
    return query.apply(this, args);
  } as typeof pg.Client.prototype.query);
  return {
    take: () => {
      const taken = statements;
      statements = [];
      return taken;
    },
    stop: () => {
      for (const method of [...methods, sent]) method.mock.restore();
    },
  };
}
