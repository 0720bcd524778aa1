import assert from "node:assert/strict";
import { test } from "node:test";
import { adminBaseUrl, pathSegment, serverUrls } from "./server-urls.ts";

test("the audience has neither /v1 nor a final slash, however the key file writes it", () => {
  for (const ending of ["", "/", "//", "/v1", "/v1/"]) {
    assert.equal(
      adminBaseUrl(`https://codes.example.com/AdminInterface/restapi${ending}`),
      "https://codes.example.com/AdminInterface/restapi",
    );
  }
});

test("the audience keeps the letter case and port of the key file, which servers compare exactly", () => {
  assert.equal(
    adminBaseUrl("https://Codes.example.com:443/AdminInterface/restapi/"),
    "https://Codes.example.com:443/AdminInterface/restapi",
  );
});

test("a root and an administration address lead to the same places", () => {
  const expected = {
    admin: "https://example.com/codes/AdminInterface/restapi",
    own: "https://example.com/codes/api/v1",
    authentication: "https://example.com/codes/mfa/v1_1",
  };
  for (const address of [
    "https://example.com/codes",
    "https://example.com/codes/",
    "https://example.com/codes/AdminInterface/restapi/v1/",
  ]) {
    assert.deepEqual(serverUrls(address), expected);
  }
});

test("an address with a password, a query or another scheme is refused", () => {
  for (const address of [
    "example.com",
    "https://me:pw@example.com",
    "https://example.com/?a=b",
    "https://example.com/#a",
    "file:///etc",
    "",
  ]) {
    assert.throws(() => serverUrls(address), { code: "server_url_invalid" });
  }
});

test("an id stays one segment of its path", () => {
  assert.equal(pathSegment("a/../b?c#d%00 é"), "a%2F..%2Fb%3Fc%23d%2500%20%C3%A9");
  for (const id of ["", ".", ".."]) assert.throws(() => pathSegment(id), TypeError);
});
