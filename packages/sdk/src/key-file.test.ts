import assert from "node:assert/strict";
import { test } from "node:test";
import { parseKeyFile } from "./key-file.ts";
import { keyFileFor } from "./testing/key-files.ts";

const good = keyFileFor("https://codes.example.com");

test("the vendor's form is read", () => {
  assert.deepEqual(parseKeyFile(JSON.stringify(good)), good);
  const described = { ...good, description: "for the help desk" };
  assert.deepEqual(parseKeyFile(JSON.stringify(described)), described);
});

test("a byte order mark and unknown properties do no harm", () => {
  assert.deepEqual(parseKeyFile(`\uFEFF${JSON.stringify({ ...good, createdBy: "someone" })}`), good);
});

test("every missing or empty property is named", () => {
  const { accessID: _, ...rest } = good;
  assert.throws(() => parseKeyFile(JSON.stringify({ ...rest, accessKey: " ", adminRestApiUrl: 5 })), {
    code: "key_file_incomplete",
    message: "the key file has no accessID, accessKey, adminRestApiUrl",
  });
});

test("an address that is not the administration API's is refused", () => {
  for (const adminRestApiUrl of [
    "https://codes.example.com/",
    "codes.example.com/AdminInterface/restapi/",
    "ftp://x/AdminInterface/restapi",
  ]) {
    assert.throws(() => parseKeyFile(JSON.stringify({ ...good, adminRestApiUrl })), { code: "key_file_url_invalid" });
  }
});

test("text that is not JSON is not quoted in the error, whatever part of the key it holds", () => {
  for (const text of ["", good.accessKey, `{"accessKey": "secret-material`, "[]", "null", `"secret-material"`]) {
    assert.throws(
      () => parseKeyFile(text),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, "key_file_not_json");
        assert.ok(!/secret|BEGIN/.test(`${error.message}${error.cause}${error.stack}`));
        return true;
      },
    );
  }
});
