/** Gives a wire its errors: every failure, unknown resource and wrong method in that wire's own shape. */
import { errorCodes } from "@sparekey/contract";
import type { FastifyError, FastifyReply, FastifyRequest, HTTPMethods } from "fastify";
import { type Clock, instantToMs } from "../clock.ts";
import { Refusal } from "../refusal.ts";
import { toClientFailure } from "./failure.ts";
import type { ErrorShape, Wire } from "./wire.ts";

/** Every method that Fastify hands to a route; it answers the rest as unknown resources. */
const methods: HTTPMethods[] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY"];

export interface WireOptions {
  prefix: string;
  shape: ErrorShape;
  clock: Clock;
}

/** Adds a wire: its routes under a prefix, with every error in its shape. `/` has the server's own shape. */
export async function addWire(server: Wire, { prefix, shape, clock }: WireOptions, addRoutes: (wire: Wire) => void) {
  await server.register(
    async (wire) => {
      const methodsOf = new Map<string, Set<string>>();
      wire.addHook("onRoute", ({ path, method }) => {
        const url = path.startsWith(prefix) ? path.slice(prefix === "/" ? 0 : prefix.length) : path;
        const known = methodsOf.get(url) ?? new Set();
        for (const one of [method].flat()) known.add(one);
        methodsOf.set(url, known);
      });
      if (prefix !== "/") answerErrorsAs(wire as Wire, shape, clock);
      addRoutes(wire as Wire);
      refuseOtherMethods(wire as Wire, new Map(methodsOf));
    },
    { prefix },
  );
}

/** Answers every failure below a wire in the wire's shape. */
export function answerErrorsAs(wire: Wire, shape: ErrorShape, clock: Clock) {
  const answer = answerWith(shape, clock);
  wire.setErrorHandler(answer);
  wire.setNotFoundHandler((request, reply) => answer(new Refusal("route_not_found"), request, reply));
}

/** The one way from what was thrown to what is sent. */
export function answerWith(shape: ErrorShape, clock: Clock) {
  return (error: unknown, request: FastifyRequest, reply: FastifyReply) => {
    const { code, answer: message, reason, retryAfterSeconds, bug } = toClientFailure(error, request.raw.complete);
    const { status, title } = errorCodes[code];
    if (bug) request.log.error({ err: error }, "request failed");
    else if (status >= 500 && !isInFloods(error)) request.log.warn({ err: error }, "request refused");
    // Not the error's own message: it may quote what the client sent, and people paste codes everywhere.
    else request.log.debug({ refusal: code, detail: detailOf(error) }, "request refused");
    if (retryAfterSeconds !== undefined) reply.header("retry-after", Math.max(1, Math.ceil(retryAfterSeconds)));
    // Nobody waits for the rest of it.
    if (code === "request_timeout") reply.header("connection", "close");
    const [path = ""] = request.url.split("?", 1);
    const epochMs = instantToMs(clock.now());
    const { id: requestId } = request;
    const body = shape.render({ code, status, title, message: message ?? title, reason, path, requestId, epochMs });
    // Serialised here: the route's own schema describes its answers, not its errors.
    return reply.code(status).type(shape.contentType).serializer(JSON.stringify).send(body);
  };
}

function isInFloods(error: unknown): boolean {
  return error instanceof Refusal && error.note.inFloods === true;
}

/** What was written for the log alone; of other errors, their code. */
function detailOf(error: unknown): string | undefined {
  return error instanceof Refusal ? error.note.detail : (error as Partial<FastifyError>).code;
}

/** Adds, for every path of the wire, the methods that it does not have: 405 with what it does. */
function refuseOtherMethods(wire: Wire, routes: ReadonlyMap<string, ReadonlySet<string>>) {
  for (const [url, allowed] of routes) {
    const allow = [...allowed].sort().join(", ");
    wire.route({
      method: methods.filter((method) => !allowed.has(method)),
      url,
      config: { access: { by: "anyone", because: "it answers only that the method is not allowed" } },
      schema: { hide: true },
      handler: async (_request, reply) => {
        reply.header("allow", allow);
        throw new Refusal("method_not_allowed");
      },
    });
  }
}
