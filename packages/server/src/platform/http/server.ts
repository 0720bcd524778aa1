/** The HTTP server as every wire needs it: strict validation, strict JSON, no caching, one log line a request. */
import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import { Ajv2020 } from "ajv/dist/2020.js";
import { type FastifyReply, type FastifyRequest, type FastifyServerOptions, fastify, LogController } from "fastify";
import type { Log } from "../log.ts";
import type { Metrics } from "../metrics.ts";
import { Refusal } from "../refusal.ts";
import { answerClientError } from "./client-error.ts";
import { deadlinesMs } from "./overload.ts";
import type { Wire } from "./wire.ts";

export interface HttpServerOptions {
  log: Log;
  newRequestId(): string;
  /** Networks whose `X-Forwarded-For` is believed; none by default. */
  trustedProxies: readonly string[];
  tls: { cert: string; key: string } | undefined;
  /** True from the moment on when the process was asked to stop. */
  isStopping(): boolean;
  /** Answers what is wrong before any route is known, such as a URL that cannot be decoded. */
  answerError(error: unknown, request: FastifyRequest, reply: FastifyReply): void;
}

/** Larger than any honest body; the batch call has its own limit. */
const bodyLimitBytes = 64 * 1_024;
const requestTimeoutMs = 15_000;
const idleConnectionMs = 72_000;
/** Two Authorization headers are joined and so refused. Node alone would take the first and a proxy, perhaps, the other. */
const connections = { joinDuplicateHeaders: true };

export function createHttpServer(httpOptions: HttpServerOptions): Wire {
  const { log, newRequestId, trustedProxies, tls, answerError } = httpOptions;
  const options = {
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: "requestId" }),
    genReqId: newRequestId,
    bodyLimit: bodyLimitBytes,
    requestTimeout: requestTimeoutMs,
    handlerTimeout: deadlinesMs.call,
    connectionTimeout: 0,
    keepAliveTimeout: idleConnectionMs,
    trustProxy: trustedProxies.length === 0 ? false : [...trustedProxies],
    return503OnClosing: false,
    forceCloseConnections: "idle" as const,
    clientErrorHandler: answerClientError,
    frameworkErrors: (error, request, reply) => answerError(error, request, reply.headers(everyAnswer(request.id))),
    // Clients join the base URL and a path with a slash from either, and some with both.
    routerOptions: { maxParamLength: 500, ignoreDuplicateSlashes: true },
    ...(tls === undefined ? { http: connections } : { https: { ...tls, ...connections } }),
  } satisfies FastifyServerOptions & { https?: object };
  const server = fastify(options).withTypeProvider<TypeBoxTypeProvider>() as unknown as Wire;

  server.setValidatorCompiler(({ schema, httpPart }) =>
    (httpPart === "body" ? strict : coercing).compile(schema as object),
  );
  acceptStrictJson(server);
  server.addHook("onRequest", async (request, reply) => {
    reply.headers(everyAnswer(request.id));
  });
  endConnectionsWhileStopping(server, httpOptions.isStopping);
  return server;
}

/**
 * From the moment on when the process was asked to stop, each answer is the last one on its connection: what is left
 * when the server closes is idle, and nobody has a request on its way there. Node would also leave a connection open
 * whose answer was under way when the server began to close, and the close would wait for it.
 */
function endConnectionsWhileStopping(server: Wire, isStopping: () => boolean) {
  let closing = false;
  server.addHook("preClose", async () => {
    closing = true;
  });
  server.addHook("onSend", (_request, reply, payload, done) => {
    if (closing || isStopping()) reply.header("connection", "close");
    done(null, payload);
  });
}

/** Headers of every answer. */
function everyAnswer(requestId: string): Record<string, string> {
  return { "cache-control": "no-store", "x-content-type-options": "nosniff", "x-request-id": requestId };
}

/** One log line and one observation a request; a flood of refusals is only counted. */
export function observeRequests(server: Wire, metrics: Metrics) {
  server.addHook("onResponse", async (request, reply) => {
    // The route's pattern, not the URL: what a client puts into a URL is not ours to keep.
    const route = request.routeOptions.url ?? "unknown";
    const { method } = request;
    const status = reply.statusCode;
    metrics.request({ method, route, status }, reply.elapsedTime / 1_000);
    if (request.refusedEarly) return;
    request.log.info({ method, route, status, ms: Math.round(reply.elapsedTime * 10) / 10 }, "request");
  });
}

/** Our own schemas need no check against the schema of schemas, which costs a tenth of a second at every start. */
const ajvOptions = { strict: false, meta: false, validateSchema: false } as const;
// OpenAPI 3.1 speaks this draft. The class named Ajv speaks an older one and ignores `dependentRequired`.
const strict = new Ajv2020({ ...ajvOptions, coerceTypes: false });
/** A query or a path is text, so a number in it is read from text. */
const coercing = new Ajv2020({ ...ajvOptions, coerceTypes: true });

/** The schema compiler for bodies, for what validates parts of a body by itself. */
export function compileStrict(schema: object) {
  return strict.compile(schema);
}

/** An escape like `\ud800` without its other half: no text can hold it, and neither can the record. */
const loneSurrogate =
  /\\u[dD][89abAB][\da-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB][\da-fA-F]{2})\\u[dD][c-fC-F]/;

function isWellFormed(json: string): boolean {
  return !loneSurrogate.test(json.replaceAll("\\\\", " "));
}

/**
 * JSON alone, and an empty body is no body whatever its content type says: clients send one with a DELETE.
 *
 * A parser's own message quotes what it could not read, and that may be a code, so it goes nowhere.
 */
function acceptStrictJson(server: Wire) {
  server.removeAllContentTypeParsers();
  const parse = server.getDefaultJsonParser("error", "error");
  server.addContentTypeParser("application/json", { parseAs: "string" }, (request, body, done) => {
    if (body.length === 0) return done(null, undefined);
    void parse(request, body as string, (error, value) => {
      if (error || !isWellFormed(body as string))
        done(new Refusal("malformed_request", { answer: "The request body is not valid JSON." }), undefined);
      else done(null, value);
    });
  });
  server.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => {
    if (body.length === 0) done(null, undefined);
    else done(new Refusal("unsupported_media_type"), undefined);
  });
}
