/** What every error looks like, whichever it is: the shape belongs to the wire, and the wire to the path. */
import assert from "node:assert/strict";
import { errorCodes } from "@sparekey/contract";
import type { Answer } from "./installation.ts";
import type { RawAnswer } from "./raw-http.ts";

const isVendorPath = (path: string) => /^\/+(AdminInterface\/+restapi|mfa\/+v1_1)\//.test(path);

/** Fails unless the answer is an error in exactly its wire's shape. */
export function assertErrorShape(path: string, answer: Answer | RawAnswer) {
  const { status, body } = answer;
  const header = (name: string) => answer.headers.get(name) ?? "";
  assert.ok(status >= 400 && status < 500, `status ${status}`);
  assert.equal(header("cache-control"), "no-store");
  assert.equal(header("x-content-type-options"), "nosniff");
  assert.match(header("x-request-id"), /^[0-9a-f-]{36}$/);
  if (!isVendorPath(path)) assertProblem(answer, header);
  else if (status === 401 || status === 403) assertGateError(path, answer, header);
  else assertVendorError(status, body, header);
}

function assertProblem({ status, body }: Answer | RawAnswer, header: (name: string) => string) {
  assert.equal(header("content-type"), "application/problem+json; charset=utf-8");
  const { code } = body;
  const known = errorCodes[code as keyof typeof errorCodes];
  assert.equal(known?.status, status, `code ${code}`);
  const { detail, ...rest } = body;
  const type = `urn:sparekey:error:${code}`;
  assert.deepEqual(rest, { type, title: known.title, status, code, requestId: header("x-request-id") });
  assert.ok(detail === undefined || typeof detail === "string");
}

function assertGateError(path: string, { status, body }: Answer | RawAnswer, header: (name: string) => string) {
  assert.equal(header("content-type"), "application/json; charset=utf-8");
  const { timestamp, message, ...rest } = body;
  assert.ok(Number.isSafeInteger(timestamp));
  assert.ok(["Server failed to process provided access token", "Access is denied"].includes(message), message);
  const error = status === 401 ? "Unauthorized" : "Forbidden";
  assert.deepEqual(rest, { status, error, path: path.split("?", 1)[0] });
}

const vendorCodes = new Map([
  [400, "400 BAD_REQUEST"],
  [404, "404 NOT_FOUND"],
  [405, "405 METHOD_NOT_ALLOWED"],
  [409, "409 CONFLICT"],
  [413, "413 PAYLOAD_TOO_LARGE"],
  [415, "415 UNSUPPORTED_MEDIA_TYPE"],
  [422, "422 UNPROCESSABLE_ENTITY"],
  [429, "429 TOO_MANY_REQUESTS"],
]);

function assertVendorError(
  status: number,
  body: { code: string; description: string },
  header: (name: string) => string,
) {
  assert.equal(header("content-type"), "application/json; charset=utf-8");
  assert.deepEqual(Object.keys(body), ["code", "description"]);
  assert.equal(body.code, vendorCodes.get(status));
  assert.equal(typeof body.description, "string");
  assert.notEqual(body.description, "");
}
