/** From an answer that is not a success to the error that says why. Knows the three error bodies. */
import { type ErrorCode, errorCodes } from "@sparekey/contract";
import { type RefusalFacts, SparekeyError, type SparekeyErrorCode } from "./errors.ts";
import type { ServerAnswer } from "./exchange.ts";

/** What a status means where the body has no code of its own: differs between the vendor's APIs. */
export type StatusMeanings = Readonly<Record<number, ErrorCode>>;

const anyBody: StatusMeanings = { 429: "too_many_requests", 503: "unavailable" };
const vendorBody: StatusMeanings = {
  405: "method_not_allowed",
  408: "request_timeout",
  413: "payload_too_large",
  415: "unsupported_media_type",
  431: "headers_too_large",
  500: "internal_error",
};

interface Reading {
  code: SparekeyErrorCode;
  detail?: string | undefined;
  requestId?: string | undefined;
}

/** Reads a refusal; every shape, an HTML page of some proxy included, gives an error. */
export function refusalFrom(answer: ServerAnswer, meanings: StatusMeanings, retryAfterMs?: number): SparekeyError {
  const reading = readBody(answer, { ...anyBody, ...vendorBody, ...meanings });
  const facts: RefusalFacts = {
    status: answer.status,
    detail: reading.detail,
    requestId: reading.requestId ?? answer.headers.get("x-request-id") ?? undefined,
    retryAfterSeconds: retryAfterMs === undefined ? undefined : Math.ceil(retryAfterMs / 1000),
  };
  return new SparekeyError(reading.code, facts);
}

function readBody(answer: ServerAnswer, meanings: StatusMeanings): Reading {
  const body = parseObject(answer.text);
  const byStatus = meanings[answer.status] ?? "unknown";
  if (body && typeof body.type === "string" && typeof body.code === "string") return readProblem(body, body.code);
  if (body && typeof body.description === "string") return { code: byStatus, detail: body.description };
  if (body && typeof body.message === "string" && "path" in body) return readGateError(body.message, byStatus);
  // Browsers show a redirect that is not followed as status 0.
  if (answer.status < 400) {
    return { code: "unknown", detail: "the server answered with a redirect, which is not followed" };
  }
  return { code: anyBody[answer.status] ?? "unknown", detail: "the answer is not one of Sparekey's" };
}

/** RFC 9457. A code that is newer than this version is `unknown` here, and its text still tells. */
function readProblem(body: Record<string, unknown>, code: string): Reading {
  return {
    code: isErrorCode(code) ? code : "unknown",
    detail: asText(body.detail) ?? asText(body.title),
    requestId: asText(body.requestId),
  };
}

/** The gate refuses a token with 403, and a good token without the permission with 403 too. */
function readGateError(message: string, byStatus: SparekeyErrorCode): Reading {
  const tokenRefused = byStatus === "access_denied" && message !== "Access is denied";
  return { code: tokenRefused ? "token_refused" : byStatus, detail: message };
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorCodes, code);
}

function asText(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
