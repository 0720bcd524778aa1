/** Every statement that reaches SQLite in this process, without its values. */
import { StatementSync } from "node:sqlite";
import { mock } from "node:test";

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
  return {
    take: () => {
      const taken = statements;
      statements = [];
      return taken;
    },
    stop: () => {
      for (const method of methods) method.mock.restore();
    },
  };
}
