/**
 * `npm test`: every test, and those of an installation a second time on PostgreSQL.
 *
 * Files that are named are run instead: `npm test -- packages/server/src/audit/record.test.ts`.
 */
import { spawnSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";

const all = ["packages/*/src/**/*.test.ts", "test/{*,*/*}.test.ts"].flatMap((pattern) => globSync(pattern)).sort();
const given = process.argv.slice(2);
const files = given.length > 0 ? given : all;
/** They put the embedded database's own files back and damage them, which PostgreSQL does not let anybody do. */
const onSqliteAlone = /^packages\/server\/src\/(?:backup|commands|rollback)\//;
/** The harness decides which database an installation is on. */
const onBoth = files.filter(
  (file) =>
    !onSqliteAlone.test(file) && /\/testing\/(core|installation|data-directory)\.ts"/.test(readFileSync(file, "utf8")),
);

run("sqlite", files);
run("postgres", onBoth);

function run(database: string, tests: string[]) {
  if (tests.length === 0) return;
  console.log(`\n── ${tests.length} files on ${database}`);
  const setup = "--test-global-setup=packages/server/src/testing/postgres/global-setup.ts";
  const { status, signal } = spawnSync(process.execPath, ["--test", setup, ...tests], {
    stdio: "inherit",
    env: { ...process.env, TEST_DATABASE: database },
  });
  if (signal !== null) process.kill(process.pid, signal);
  if (status !== 0) process.exit(status ?? 1);
}
