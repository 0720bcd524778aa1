import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { startInstallation, type TestInstallation } from "../../testing/installation.ts";
import { exchange, requestText } from "../../testing/raw-http.ts";
import { changesNothing } from "../../testing/state.ts";

const head = (...lines: string[]) => `${lines.join("\r\n")}\r\n\r\n`;
const verify = (...headers: string[]) =>
  head("POST /api/v1/verify HTTP/1.1", "host: x", "content-type: application/json", ...headers);

/** What is no HTTP, or could be read in two ways. */
const broken = new Map<string, string | Buffer>([
  ["noise", Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03])],
  ["one word", "NONSENSE\r\n\r\n"],
  ["a version of another protocol", head("GET /healthz ICE/1.0", "host: x")],
  ["a method of nobody", head("FROBNICATE /healthz HTTP/1.1", "host: x")],
  ["a method in small letters", head("get /healthz HTTP/1.1", "host: x")],
  ["a header without a colon", head("GET /healthz HTTP/1.1", "host: x", "nonsense")],
  ["a header with a space in its name", head("GET /healthz HTTP/1.1", "host: x", "a b: c")],
  ["a header with NUL", head("GET /healthz HTTP/1.1", "host: x", "a: b\0c")],
  ["a header that is folded", head("GET /healthz HTTP/1.1", "host: x", "a: b", " c")],
  ["a length that is negative", verify("content-length: -1")],
  ["a length that is no number", verify("content-length: ten")],
  ["two lengths", `${verify("content-length: 2", "content-length: 3")}{} `],
  ["length and chunks", `${verify("content-length: 4", "transfer-encoding: chunked")}0\r\n\r\n`],
  ["chunks that are not the last encoding", `${verify("transfer-encoding: chunked, gzip")}0\r\n\r\n`],
  ["a chunk without a size", `${verify("transfer-encoding: chunked")}xyz\r\n{}\r\n0\r\n\r\n`],
  ["a chunk of another size", `${verify("transfer-encoding: chunked")}1\r\n{}\r\n0\r\n\r\n`],
  ["a path with NUL", head("GET /health\0z HTTP/1.1", "host: x")],
]);

/** More of the head than any client needs. */
const floods = new Map([
  ["one header of 20 kB", ["a: ".padEnd(20_000, "x")]],
  ["a name of 20 kB", [`${"a".repeat(20_000)}: b`]],
  ["five hundred headers of 50 bytes", Array.from({ length: 500 }, (_, place) => `a${place}: ${"x".repeat(50)}`)],
  ["the same header three thousand times", Array(3_000).fill("cookie: a=b")],
  ["a token of 20 kB", [`authorization: Bearer ${"x".repeat(20_000)}`]],
]);

describe("bytes that no client sends", () => {
  let sparekey: TestInstallation;
  before(async () => {
    sparekey = await startInstallation();
  });
  after(() => sparekey.close());

  async function assertRefused(bytes: string | Buffer, status: number, code: string) {
    const answer = await changesNothing(sparekey, () => exchange(sparekey, bytes));
    assert.equal(answer.status, status, JSON.stringify(answer.body));
    assert.deepEqual(Object.keys(answer.body), ["code", "description"]);
    assert.equal(answer.body.code, code);
    assert.equal(answer.headers.get("content-type"), "application/json; charset=utf-8");
    assert.equal(answer.headers.get("connection"), "close");
    assert.equal(answer.headers.get("cache-control"), "no-store");
    assert.equal((await sparekey.call("GET", "/healthz")).status, 200);
  }

  for (const [name, bytes] of broken) {
    it(`400 for ${name}`, () => assertRefused(bytes, 400, "400 BAD_REQUEST"));
  }

  for (const [name, headers] of floods) {
    it(`431 for ${name}`, () =>
      assertRefused(requestText("GET", "/healthz", { headers }), 431, "431 REQUEST_HEADER_FIELDS_TOO_LARGE"));
  }

  it("431 for a path of 20 kB", () =>
    assertRefused(requestText("GET", `/${"x".repeat(20_000)}`), 431, "431 REQUEST_HEADER_FIELDS_TOO_LARGE"));

  it("400 without a host", async () => {
    const { status } = await exchange(sparekey, head("GET /healthz HTTP/1.1", "connection: close"));
    assert.equal(status, 400);
  });

  it("a body that breaks off is no request", async () => {
    const request = `${verify(`client-key: ${sparekey.clientKey}`, "content-length: 100")}{"user":"x"`;
    const answer = await changesNothing(sparekey, () => exchange(sparekey, request, { halfClose: true }));
    assert.equal(answer.status, 400);
  });

  it("text around JSON changes nothing: a byte order mark and spaces", async () => {
    const call = (body: string) => sparekey.client("POST", "/api/v1/verify", body);
    assert.equal((await call(' \r\n\t{"user":"x","code":"x"}\n ')).status, 200);
    assert.equal((await call('{"user":"x","code":"x"}{"user":"y"}')).status, 400);
  });
});
