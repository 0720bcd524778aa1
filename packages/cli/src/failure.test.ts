import assert from "node:assert/strict";
import { test } from "node:test";
import { SparekeyConnectionError, SparekeyError } from "@sparekey/sdk";
import { CliError } from "./cli-error.ts";
import { exitCodes } from "./exit-codes.ts";
import { reportFailure } from "./failure.ts";

/** What reaches stderr, and the number to leave with. */
function report(t: { mock: typeof import("node:test").mock }, error: unknown) {
  let stderr = "";
  const write = t.mock.method(process.stderr, "write", (text: string) => {
    stderr += text;
    return true;
  });
  const exitCode = reportFailure(error);
  write.mock.restore();
  return { exitCode, stderr };
}

test("exit codes are permanent", () => {
  const numbers = Object.entries(exitCodes).map(([name, { number }]) => [name, number]);
  assert.deepEqual(Object.fromEntries(numbers), {
    ok: 0,
    refused: 1,
    usage: 2,
    unreachable: 3,
    credentials: 4,
    notFound: 5,
    conflict: 6,
    busy: 7,
    failed: 8,
    interrupted: 130,
  });
});

test("a busy server is 7, one that failed is 8 and names the request", (t) => {
  const busy = new SparekeyError("too_many_requests", { status: 429, detail: "Too many requests." });
  assert.deepEqual(report(t, busy), { exitCode: 7, stderr: "error: too many requests\nhint: try again later\n" });
  const failed = new SparekeyError("internal_error", { status: 500, detail: "It broke.", requestId: "req-7" });
  assert.match(report(t, failed).stderr, /^error: it broke \(request req-7\)\n/);
});

test("a timeout says that the call may have been done", (t) => {
  const late = new SparekeyConnectionError("no answer from codes.example.com within 30000 ms", { code: "timed_out" });
  const { exitCode, stderr } = report(t, late);
  assert.equal(exitCode, 3);
  assert.match(stderr, /hint: the server may have done it all the same; look before you repeat it\n$/);
});

test("an error of this program's own brings its hint and number", (t) => {
  const error = new CliError("no such thing", { exit: "conflict", hint: "make one" });
  assert.deepEqual(report(t, error), { exitCode: 6, stderr: "error: no such thing\nhint: make one\n" });
});

test("a bug is 8, never 1, which means a refused code", (t) => {
  const { exitCode, stderr } = report(t, new RangeError("oops"));
  assert.equal(exitCode, 8);
  assert.match(stderr, /^error: this is a bug in sparekey; please report it\nRangeError: oops\n {4}at /);
});
