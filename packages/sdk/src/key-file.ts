import type { KeyFile } from "@sparekey/contract";
import { SparekeyKeyError } from "./errors.ts";
import { adminBaseUrl } from "./server-urls.ts";

const required = ["customerName", "accessID", "accessKey", "adminRestApiUrl"] as const;

/**
 * Reads the text of an `<accessID>.key` file.
 *
 * Says by name what is missing and never quotes the file: it holds a private key.
 *
 * @throws SparekeyKeyError `key_file_not_json`, `key_file_incomplete` or `key_file_url_invalid`
 */
export function parseKeyFile(text: string): KeyFile {
  const fields = readObject(text);
  const missing = required.filter((name) => typeof fields[name] !== "string" || fields[name].trim() === "");
  if (missing.length > 0) {
    throw new SparekeyKeyError("key_file_incomplete", `the key file has no ${missing.join(", ")}`);
  }
  const keyFile: KeyFile = {
    customerName: fields.customerName as string,
    accessID: fields.accessID as string,
    accessKey: fields.accessKey as string,
    adminRestApiUrl: fields.adminRestApiUrl as string,
  };
  if (typeof fields.description === "string") keyFile.description = fields.description;
  adminBaseUrl(keyFile.adminRestApiUrl);
  return keyFile;
}

function readObject(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    // Windows editors put a byte order mark in front, which JSON does not allow.
    value = JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch {
    throw new SparekeyKeyError("key_file_not_json", "the key file is not JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new SparekeyKeyError("key_file_not_json", "the key file is not a JSON object");
  }
  return value as Record<string, unknown>;
}
