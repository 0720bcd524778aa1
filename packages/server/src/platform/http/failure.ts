/** From whatever was thrown to what the client may know of it. The only place that decides it. */
import type { ErrorCode } from "@sparekey/contract";
import type { FastifyError } from "fastify";
import { DatabaseUnavailable } from "../database/database.ts";
import { Refusal } from "../refusal.ts";
import { isPastDeadline } from "./overload.ts";

export interface ClientFailure {
  code: ErrorCode;
  /** Absent when the code's title says it all. */
  answer?: string | undefined;
  reason?: string | undefined;
  retryAfterSeconds?: number | undefined;
  /** A bug of ours: logged with its stack. */
  bug: boolean;
}

const retryWhenUnavailableSeconds = 1;

/** Fastify's own codes for what a client can get wrong, and ours. */
const clientErrors: Record<string, ErrorCode> = {
  FST_ERR_CTP_BODY_TOO_LARGE: "payload_too_large",
  FST_ERR_CTP_INVALID_MEDIA_TYPE: "unsupported_media_type",
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: "malformed_request",
  FST_ERR_CTP_EMPTY_JSON_BODY: "malformed_request",
  FST_ERR_CTP_INVALID_JSON_BODY: "malformed_request",
  FST_ERR_BAD_URL: "malformed_request",
  FST_ERR_ASYNC_CONSTRAINT: "malformed_request",
  // No id is that long, so there is nothing under such a path.
  FST_ERR_MAX_PARAM_LENGTH: "route_not_found",
  FST_ERR_ROUTE_MISSING_CONTENT_TYPE: "unsupported_media_type",
};

/** `arrived` is false while the client is still sending. */
export function toClientFailure(error: unknown, arrived = true): ClientFailure {
  if (error instanceof Refusal) {
    const { answer, reason, retryAfterSeconds } = error.note;
    return { code: error.code, answer, reason, retryAfterSeconds, bug: false };
  }
  // A request that has not arrived by its deadline is the client's.
  if (isPastDeadline(error) && !arrived) return { code: "request_timeout", bug: false };
  if (isPastDeadline(error) || error instanceof DatabaseUnavailable) {
    return { code: "unavailable", retryAfterSeconds: retryWhenUnavailableSeconds, bug: false };
  }
  const { code = "", validation, validationContext } = error as Partial<FastifyError>;
  if (validation !== undefined) {
    return {
      code: "malformed_request",
      answer: describeValidation(validation, validationContext ?? "body"),
      bug: false,
    };
  }
  const known = clientErrors[code];
  if (known !== undefined) return { code: known, bug: false };
  return { code: "internal_error", bug: true };
}

type Validation = NonNullable<FastifyError["validation"]>;

/**
 * Names the property and the rule, never the value: a body may hold a code.
 *
 * A wrong number of properties has a sentence of its own, which the vendor's clients look for.
 */
function describeValidation(validation: Validation, where: string): string {
  const faults = validation.filter(({ keyword }) => !["anyOf", "oneOf", "if"].includes(keyword));
  const first = faults.find(({ keyword }) => isCount(keyword)) ?? faults[0] ?? validation[0];
  if (first === undefined) return `The ${where} is not valid.`;
  const place = first.instancePath.slice(1).replaceAll("/", ".");
  if (place === "" && isCount(first.keyword) && where === "body")
    return "Wrong number of properties in the request body.";
  return `${place === "" ? `The ${where}` : place} ${first.message ?? "is not valid"}.`;
}

function isCount(keyword: string): boolean {
  return keyword === "required" || keyword === "additionalProperties";
}
