import type {
  AuthnAnswer,
  AuthnCancel,
  AuthnInitialize,
  AuthnStatus,
  AuthnStatusAnswer,
  AuthnVerify,
  SubjectCredential,
  VerifyAnswer,
  VerifyRequest,
} from "@sparekey/contract";
import { SparekeyKeyError } from "./errors.ts";
import { serverUrls } from "./server-urls.ts";
import { createTransport, type TransportOptions } from "./transport.ts";

/** How to make a client for a VPN, a PAM system, a portal: whatever asks people for their code. */
export interface AuthenticationClientOptions extends TransportOptions {
  /** The server's root (`https://codes.example.com`) or its administration base address. */
  serverUrl: string;
  /** The 64-character Authentication API key. Secret; space around it is dropped. */
  clientKey: string;
}

/** The vendor's Authentication API: an attempt of several messages. */
export interface AttemptCalls {
  /** Begins an attempt; with `subjectCredentials` it also answers the first challenge. */
  initialize(request: AuthnInitialize): Promise<AuthnAnswer>;
  /** Answers a challenge. `context.inResponseTo` is the `messageId` of the latest answer. */
  verify(request: AuthnVerify): Promise<AuthnAnswer>;
  /** How far an attempt is. @throws SparekeyError `attempt_not_found` */
  status(request: AuthnStatus): Promise<AuthnStatusAnswer>;
  /** Gives an attempt up, and answers how far it had come. @throws SparekeyError `attempt_not_found` */
  cancel(request: AuthnCancel): Promise<AuthnStatusAnswer>;
}

/** A client of the Authentication API. Every call throws `SparekeyError` or `SparekeyConnectionError`. */
export interface AuthenticationClient {
  /** Sparekey's one call: is this the user's emergency code? A wrong code is an answer, not an error. */
  verify(request: VerifyRequest): Promise<VerifyAnswer>;
  /** The vendor's calls: the same against RSA ID Plus and Sparekey. */
  attempts: AttemptCalls;
}

/**
 * A client that verifies emergency codes with an Authentication API key.
 *
 * A lost connection is never retried here: the code may have been counted or spent.
 *
 * @throws SparekeyKeyError `client_key_invalid`, `server_url_invalid`
 */
export function createAuthenticationClient(options: AuthenticationClientOptions): AuthenticationClient {
  const credentials = { "client-key": readClientKey(options.clientKey) };
  const urls = serverUrls(options.serverUrl);
  const meanings = { 401: "client_key_refused", 403: "access_denied", 404: "attempt_not_found" } as const;
  const send = createTransport({ credentials: async () => credentials, meanings }, options);
  const post = async <Body>(url: string, body: unknown) => (await send<Body>({ method: "POST", url, body })).body;
  return {
    verify: (request) => post(`${urls.own}/verify`, request),
    attempts: {
      initialize: (request) => post(`${urls.authentication}/authn/initialize`, request),
      verify: (request) => post(`${urls.authentication}/authn/verify`, request),
      status: (request) => post(`${urls.authentication}/authn/status`, request),
      cancel: (request) => post(`${urls.authentication}/authn/cancel`, request),
    },
  };
}

/** The credential that carries an emergency code in `initialize` and `verify`. */
export function emergencyTokencodeCredential(code: string): SubjectCredential {
  return { methodId: "EMERGENCY_TOKENCODE", collectedInputs: [{ name: "EMERGENCY_TOKENCODE", value: code }] };
}

/** Checked here, because `fetch` quotes a header value that it does not like in its error. */
function readClientKey(text: string): string {
  const key = text.trim();
  if (!/^[\x21-\x7e]+$/.test(key)) {
    throw new SparekeyKeyError(
      "client_key_invalid",
      "the Authentication API key is empty or holds spaces or control characters",
    );
  }
  return key;
}
