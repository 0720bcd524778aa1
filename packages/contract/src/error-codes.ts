/**
 * Every refusal that Sparekey can answer with, in one table.
 *
 * A code is permanent: scripts and the SDK switch over it. The title is for people and may be reworded.
 */
export const errorCodes = {
  malformed_request: { status: 400, title: "The request is not valid." },
  invalid_expiration: { status: 400, title: "The lifetime of the code is not valid." },
  user_disabled: { status: 400, title: "The user is disabled." },
  client_key_refused: { status: 401, title: "The Authentication API key was refused." },
  token_refused: { status: 403, title: "The access token was refused." },
  access_denied: { status: 403, title: "This principal may not make this call." },
  protected_user: {
    status: 403,
    title: "The user belongs to a protected group; a Super Administrator must make this call.",
  },
  user_not_found: { status: 404, title: "No such user." },
  attempt_not_found: { status: 404, title: "No such authentication attempt." },
  api_key_not_found: { status: 404, title: "No such key." },
  route_not_found: { status: 404, title: "No such resource." },
  method_not_allowed: { status: 405, title: "The resource does not support this method." },
  request_timeout: { status: 408, title: "The request took too long to arrive." },
  login_name_taken: { status: 409, title: "A login name already belongs to another user." },
  idempotency_in_progress: {
    status: 409,
    title: "The first call with this Idempotency-Key is still under way; try again as Retry-After says.",
  },
  idempotency_expired: {
    status: 409,
    title: "The answer to this Idempotency-Key is no longer given; issue again with a new key.",
  },
  too_many_api_keys: { status: 409, title: "The company has as many keys as it may have." },
  settings_changed: {
    status: 412,
    title: "The settings were changed since they were read; read them again.",
  },
  payload_too_large: { status: 413, title: "The request body is too large." },
  unsupported_media_type: { status: 415, title: "The request body must be application/json." },
  idempotency_key_reused: { status: 422, title: "This Idempotency-Key belongs to another request; use a new key." },
  precondition_required: {
    status: 428,
    title: "Send If-Match with the ETag of the settings that you read.",
  },
  too_many_requests: { status: 429, title: "Too many requests; wait as Retry-After says." },
  headers_too_large: { status: 431, title: "The request headers are too large." },
  internal_error: { status: 500, title: "An internal error occurred." },
  unavailable: { status: 503, title: "The service cannot answer now; try again as Retry-After says." },
} as const satisfies Record<string, { status: number; title: string }>;

/** The permanent name of a refusal. */
export type ErrorCode = keyof typeof errorCodes;
