/** The OpenAPI 3.1 document, made from the routes' own schemas. */
import { type FastifyDynamicSwaggerOptions, fastifySwagger } from "@fastify/swagger";
import { Problem, VendorError, VendorGateError } from "@sparekey/contract";
import type { FastifySchema } from "fastify";
import { Type } from "typebox";
import type { Wire } from "./platform/http/wire.ts";
import type { RouteAccess } from "./principal.ts";

/** Register it before the routes that it is to describe. */
export async function describeRoutes(server: Wire, publicUrl: string, version: string) {
  const options: FastifyDynamicSwaggerOptions = {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Sparekey",
        version,
        description:
          "Emergency access codes. `/AdminInterface/restapi` and `/mfa/v1_1` speak RSA ID Plus's wire; `/api/v1` is Sparekey's own.",
        license: { name: "Apache-2.0", identifier: "Apache-2.0" },
      },
      servers: [{ url: publicUrl }],
      components: {
        securitySchemes: {
          administrator: {
            type: "http",
            scheme: "bearer",
            bearerFormat: "JWT",
            description: "A token signed with an API key.",
          },
          authenticationClient: {
            type: "apiKey",
            in: "header",
            name: "client-key",
            description: "An Authentication API key.",
          },
        },
      },
    },
    transform: ({ schema, url, route }) => {
      if (schema?.hide) return { schema, url };
      const response = { ...emptyAnswerOf(schema), ...errorsOf(url), ...(schema?.response as object) };
      return { schema: { ...schema, response, security: securityOf(route.config?.access) }, url };
    },
  };
  await server.register(fastifySwagger, options);
}

export function openApiRoute(server: Wire) {
  server.get(
    "/openapi.json",
    {
      config: { access: { by: "anyone", because: "the document describes the API and holds no data" } },
      schema: { summary: "This document", tags: ["Operations"] },
    },
    async () => server.swagger(),
  );
}

/** What a route answers that declares no body of its own. */
function emptyAnswerOf(schema: FastifySchema | undefined) {
  return schema?.response === undefined ? { "2XX": { description: "Done." } } : {};
}

/** Every route can refuse, in the shape of its wire. */
function errorsOf(url: string) {
  const vendor = url.startsWith("/AdminInterface/") || url.startsWith("/mfa/");
  const shape = vendor ? Type.Union([VendorError, VendorGateError]) : Problem;
  return {
    "4XX": { ...shape, description: "The request is refused; the code says why." },
    "5XX": { ...shape, description: "The service cannot answer; `Retry-After` says when to try again." },
  };
}

function securityOf(access: RouteAccess | undefined): Record<string, string[]>[] {
  if (access?.by === "administrator") return [{ administrator: [] }];
  return access?.by === "authentication_client" ? [{ authenticationClient: [] }] : [];
}
