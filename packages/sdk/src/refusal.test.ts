import assert from "node:assert/strict";
import { test } from "node:test";
import { errorCodes } from "@sparekey/contract";
import { refusalFrom } from "./refusal.ts";

const meanings = { 403: "access_denied", 404: "user_not_found" } as const;

function read(status: number, body: unknown, headers: Record<string, string> = {}) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return refusalFrom({ status, headers: new Headers(headers), text }, meanings);
}

test("a problem of Sparekey's own API gives its code, detail and request id", () => {
  const error = read(404, {
    type: "urn:sparekey:error:user_not_found",
    title: "No such user.",
    status: 404,
    code: "user_not_found",
    detail: "No user has this id.",
    requestId: "req-7",
  });
  assert.equal(error.code, "user_not_found");
  assert.equal(error.detail, "No user has this id.");
  assert.equal(error.requestId, "req-7");
  assert.equal(error.message, "No user has this id. (user_not_found, status 404)");
});

test("every code of the contract is read as itself", () => {
  for (const [code, { status, title }] of Object.entries(errorCodes)) {
    assert.equal(read(status, { type: `urn:sparekey:error:${code}`, title, status, code, requestId: "r" }).code, code);
  }
});

test("a code that this version does not know is unknown, and its title is kept", () => {
  for (const code of ["from_the_future", "constructor", "__proto__"]) {
    const error = read(409, { type: "urn:x", title: "Something new.", status: 409, code, requestId: "r" });
    assert.equal(error.code, "unknown");
    assert.equal(error.detail, "Something new.");
  }
});

test("a business error of the vendor gives its description, and the code that its status allows", () => {
  const missing = read(404, { code: "404 NOT_FOUND", description: "User john not found" }, { "x-request-id": "req-9" });
  assert.equal(missing.code, "user_not_found");
  assert.equal(missing.detail, "User john not found");
  assert.equal(missing.requestId, "req-9");
  assert.equal(
    read(500, { code: "500 INTERNAL_SERVER_ERROR", description: "An internal error occurred." }).code,
    "internal_error",
  );
  // 400 may mean a disabled user, a bad date or a bad body: the wire does not say which.
  assert.equal(read(400, { code: "400 BAD_REQUEST", description: "User is disabled" }).code, "unknown");
});

test("the vendor's gate tells a refused token from a missing permission", () => {
  const gate = { timestamp: 1, status: 403, error: "Forbidden", path: "/AdminInterface/restapi/v1/users/1" };
  assert.equal(read(403, { ...gate, message: "Server failed to process provided access token" }).code, "token_refused");
  assert.equal(read(403, { ...gate, message: "Access is denied" }).code, "access_denied");
});

test("what some proxy answers is never taken for a refusal of the domain", () => {
  for (const body of ["<html>not found</html>", "", "[]", "null", { error: "nope" }]) {
    assert.equal(read(404, body).code, "unknown");
    assert.equal(read(403, body).code, "unknown");
  }
  assert.equal(read(429, "slow down").code, "too_many_requests");
  assert.equal(read(503, "<html>").code, "unavailable");
});
