/** The words that Sparekey's parts speak to each other: wire schemas, error codes, file formats. */
export * from "./audit.ts";
export * from "./emergency-codes.ts";
export * from "./error-codes.ts";
export * from "./idempotency.ts";
export * from "./key-file.ts";
export * from "./problem.ts";
export * from "./roles.ts";
export * from "./settings.ts";
export * from "./users.ts";
export * from "./vendor/authentication.ts";
export * from "./vendor/emergency-tokencode.ts";
export * from "./vendor/errors.ts";
export * from "./vendor/users.ts";
export * from "./verify.ts";
