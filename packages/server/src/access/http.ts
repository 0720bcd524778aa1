/** The guard in front of every route. A route that does not say who may call it keeps the server from starting. */
import type { Wire } from "../platform/http/wire.ts";
import type { Call, RouteAccess } from "../principal.ts";
import type { AccessService } from "./service.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    access?: RouteAccess;
  }
  interface FastifyRequest {
    /** Who is calling, set by the guard before anything else sees the request. */
    call: Call;
  }
}

export function guardRoutes(server: Wire, access: AccessService) {
  server.addHook("onRoute", (route) => {
    if (route.config?.access === undefined) {
      throw new Error(`${route.method} ${route.url} does not declare who may call it: set config.access`);
    }
  });
  server.decorateRequest("call", null as unknown as Call);
  server.addHook("onRequest", async (request, reply) => {
    // An unknown resource has no route of its own and tells nobody anything.
    const demanded = request.routeOptions.config.access ?? { by: "anyone", because: "unknown resource" };
    const presented = {
      authorization: request.headers.authorization,
      clientKey: singleHeader(request.headers["client-key"]),
      address: request.ip,
      requestId: request.id,
    };
    request.call = await access.admit(demanded, presented, (headers) => reply.headers(headers));
  });
}

function singleHeader(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? undefined : value;
}
