import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { takeProcessLock } from "./process-lock.ts";

/** Another process that asks for the lock, says what it got, and keeps it until it is killed. */
const asking = `
  const { takeProcessLock } = await import(${JSON.stringify(new URL("./process-lock.ts", import.meta.url).href)});
  const lock = takeProcessLock(process.argv[1]);
  console.log(lock === undefined ? "refused" : "holds it");
  if (lock !== undefined) setInterval(() => {}, 1_000);
`;

describe("the lock of a data directory", () => {
  const children: ChildProcess[] = [];
  let directory: string;
  let path: string;

  before(() => {
    directory = mkdtempSync(join(tmpdir(), "sparekey-lock-"));
    path = join(directory, "serve.lock");
  });
  after(() => {
    for (const child of children) child.kill("SIGKILL");
    rmSync(directory, { recursive: true, force: true });
  });

  async function askFromAnotherProcess(): Promise<{ answer: string; child: ChildProcess }> {
    const child = spawn(process.execPath, ["--input-type=module", "--eval", asking, path], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    children.push(child);
    const [answer] = await once(child.stdout, "data");
    return { answer: String(answer).trim(), child };
  }

  it("is refused to a second process while the first lives, and a kill -9 of the first releases it", async () => {
    const first = await askFromAnotherProcess();
    assert.equal(first.answer, "holds it");
    assert.equal((await askFromAnotherProcess()).answer, "refused");
    assert.equal(takeProcessLock(path), undefined);

    first.child.kill("SIGKILL");
    await once(first.child, "exit");
    const lock = takeProcessLock(path);
    assert.ok(lock !== undefined);
    assert.equal((await askFromAnotherProcess()).answer, "refused");
    lock.release();
    assert.equal((await askFromAnotherProcess()).answer, "holds it");
  });

  it("is one a path, within one process too", () => {
    const elsewhere = join(directory, "elsewhere.lock");
    const lock = takeProcessLock(elsewhere);
    assert.ok(lock !== undefined);
    assert.equal(takeProcessLock(elsewhere), undefined);
    lock.release();
    takeProcessLock(elsewhere)?.release();
  });
});
