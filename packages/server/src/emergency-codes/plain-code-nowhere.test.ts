import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { sql } from "kysely";
import { databaseIn, onPostgres } from "../testing/data-directory.ts";
import { startInstallation, type TestInstallation } from "../testing/installation.ts";

/** Reads in another process: closing a file that SQLite has open in this one would drop SQLite's locks. */
function bytesOf(path: string): Buffer {
  const script = "process.stdout.write(require('node:fs').readFileSync(process.argv[1]))";
  return execFileSync(process.execPath, ["--eval", script, path], { maxBuffer: 1 << 28 });
}

describe("a plain code", () => {
  let sparekey: TestInstallation;
  /** Everything that was issued, or typed as a code, or typed as a name although it was a code. */
  const canaries: string[] = [];
  before(async () => {
    sparekey = await startInstallation();
  });
  after(() => sparekey.close());

  const initialize = (subjectName: string, code: string, keepAttempt: boolean) =>
    sparekey.client("POST", "/mfa/v1_1/authn/initialize", {
      ...{ subjectName, keepAttempt, context: { messageId: "request" } },
      subjectCredentials: [
        { methodId: "EMERGENCY_TOKENCODE", collectedInputs: [{ name: "EMERGENCY_TOKENCODE", value: code }] },
      ],
    });

  async function useInEveryWay(name: string, code: string) {
    const { id } = await sparekey.createUser(name);
    const path = `/AdminInterface/restapi/v2/users/${id}/emergencyTokencode`;
    const { body } = await sparekey.admin("PUT", path, { oneTimeUse: false });
    const issued: string = body.emergencyTokencode;
    canaries.push(issued, code);
    await sparekey.verify(name, code);
    await sparekey.verify(name, issued);
    await sparekey.verify(issued, issued);
    await initialize(name, code, true);
    await initialize(name, issued, true);
    await initialize(issued, issued, true);
    const { body: begun } = await sparekey.client("POST", "/mfa/v1_1/authn/initialize", {
      ...{ subjectName: issued, context: { messageId: "request" }, sessionAttributes: [{ typed: issued }] },
    });
    assert.equal(begun.attemptResponseCode, "CHALLENGE");
    await sparekey.call("POST", "/api/v1/verify", { body: { user: name, code: issued } });
    await sparekey.admin(
      "DELETE",
      `/AdminInterface/restapi/v1/users/${id}/emergencyTokencode/${body.emergencyTokencodeId}`,
    );
  }

  /** Which canaries a text holds, in groups or without, however they are cased. */
  function found(text: string): string[] {
    const folded = text.toUpperCase();
    return canaries.filter((code) =>
      [code, code.replaceAll("-", "")].some((form) => folded.includes(form.toUpperCase())),
    );
  }

  it("is nowhere in the database: in no row, and in no byte of its files", async () => {
    await useInEveryWay("symbols.user", "7K3M-9QZX-4TP");
    await sparekey.changeSettings((settings) =>
      Object.assign(settings, { codeFormat: { alphabet: "digits", length: 10 } }),
    );
    await useInEveryWay("digits.user", "90817-26354");
    assert.equal(canaries.length, 4);

    const tables = (await sparekey.db.read.introspection.getTables()).map(({ name }) => name);
    assert.ok(tables.length >= 11);
    for (const table of tables) {
      const { rows } = await sql`SELECT * FROM ${sql.table(table)}`.execute(sparekey.db.read);
      assert.deepEqual(found(JSON.stringify(rows)), [], table);
    }
    // PostgreSQL's files are its own: what is in no row is nowhere else for long.
    if (onPostgres) return;
    const database = databaseIn(sparekey.dataDir);
    const files = [database, `${database}-wal`].filter((path) => existsSync(path));
    assert.equal(files.length, 2);
    const bytes = files.map((path) => bytesOf(path).toString("latin1")).join("");
    assert.deepEqual(found(bytes), []);
    // The same search finds what is there, so it would find a code.
    canaries.push("symbols.user@example.com");
    assert.deepEqual(found(bytes), ["symbols.user@example.com"]);
  });
});
