/** The OpenAPI 3.1 document, made from the routes' own schemas. */
import { type FastifyDynamicSwaggerOptions, fastifySwagger } from "@fastify/swagger";
import {
  idempotencyKeyHeader,
  idempotencyReplayedHeader,
  Problem,
  VendorError,
  VendorGateError,
} from "@sparekey/contract";
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
      const described = { ...schema, response, security: securityOf(route.config?.access) };
      return { schema: route.config?.repeatable === true ? asRepeatable(described, url) : described, url };
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
  const shape = errorShapeOf(url);
  return {
    "4XX": { ...shape, description: "The request is refused; the code says why." },
    "5XX": { ...shape, description: "The service cannot answer; `Retry-After` says when to try again." },
  };
}

function errorShapeOf(url: string) {
  const vendor = url.startsWith("/AdminInterface/") || url.startsWith("/mfa/");
  return vendor ? Type.Union([VendorError, VendorGateError]) : Problem;
}

/** What a route that takes an `Idempotency-Key` accepts and answers besides. */
function asRepeatable<Schema extends { response: object }>(schema: Schema, url: string): Schema {
  const { 200: answer, ...others } = schema.response as { 200: object };
  const replayed = { [idempotencyReplayedHeader]: Type.Boolean({ description: "True when it was given before." }) };
  const error = (description: string) => ({ ...errorShapeOf(url), description });
  return {
    ...schema,
    headers: Type.Object({ [idempotencyKeyHeader]: Type.Optional(idempotencyKey) }),
    response: {
      ...others,
      200: { ...answer, headers: replayed },
      409: error("The first call with this key is still under way (`Retry-After`), or its answer is no longer given."),
      422: error("The key belongs to another request."),
    },
  };
}

const idempotencyKey = Type.String({
  description:
    "Names this call, so that it can be sent again: it is then done once, and answered alike for ten minutes. 16 to 255 printable ASCII characters, in double quotes or without.",
  examples: ["6f1f8f0e-1c39-4c6c-8d0b-6e3d2a1b5c77"],
});

function securityOf(access: RouteAccess | undefined): Record<string, string[]>[] {
  if (access?.by === "administrator") return [{ administrator: [] }];
  return access?.by === "authentication_client" ? [{ authenticationClient: [] }] : [];
}
