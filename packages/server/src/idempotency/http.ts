/** `Idempotency-Key`, on the routes that take it: from the header to a call that may be sent again. */
import { idempotencyKeyHeader, idempotencyReplayedHeader } from "@sparekey/contract";
import type { FastifyRequest } from "fastify";
import type { Wire } from "../platform/http/wire.ts";
import { Refusal } from "../platform/refusal.ts";
import { type IdempotencyKey, type RepeatableCall, readIdempotencyKey } from "./service.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** Whether the route takes an `Idempotency-Key`. */
    repeatable?: boolean;
  }
  interface FastifyRequest {
    /** Set when the client sent a key to a route that takes one. */
    repeatable: RepeatableCall | undefined;
  }
}

/** Runs after the body was validated: what is no request at all needs no key. */
export function acceptIdempotencyKeys(server: Wire) {
  server.decorateRequest("repeatable", undefined);
  server.addHook("preHandler", async (request, reply) => {
    const { config, url } = request.routeOptions;
    const key = config.repeatable === true ? keyOf(request) : undefined;
    if (key === undefined) return;
    request.repeatable = {
      key,
      route: `${request.method} ${url}`,
      request: { params: request.params, body: request.body ?? {} },
      onRepeat: () => reply.header(idempotencyReplayedHeader, "true"),
    };
  });
}

function keyOf({ headers, raw }: FastifyRequest): IdempotencyKey | undefined {
  const header = headers[idempotencyKeyHeader];
  if (header === undefined) return undefined;
  // Two headers arrive joined by a comma, and would pass for a key of their own.
  const sent = raw.rawHeaders.filter((text, place) => place % 2 === 0 && text.toLowerCase() === idempotencyKeyHeader);
  const key = typeof header === "string" && sent.length === 1 ? readIdempotencyKey(header) : undefined;
  if (key !== undefined) return key;
  // Not quoted: a client that mixes its headers up may have sent a credential.
  throw new Refusal("malformed_request", {
    answer: "Idempotency-Key must be 16 to 255 printable ASCII characters, sent once.",
  });
}
