/** What machines ask about the process: is it alive, may it have traffic, how is it doing. */
import { Type } from "typebox";
import type { Wire } from "../platform/http/wire.ts";
import type { Metrics } from "../platform/metrics.ts";
import type { HealthService } from "./service.ts";

const Health = Type.Object({ status: Type.Literal("ok") });

export function healthRoutes(wire: Wire, health: HealthService, metrics: Metrics) {
  wire.get(
    "/healthz",
    {
      config: { access: { by: "anyone", because: "a supervisor has no credentials, and the answer says nothing" } },
      schema: { summary: "Is the process alive?", tags: ["Operations"], response: { 200: Health } },
    },
    async () => ({ status: "ok" as const }),
  );

  wire.get(
    "/readyz",
    {
      config: { access: { by: "anyone", because: "a load balancer has no credentials, and the answer says nothing" } },
      schema: {
        summary: "May it have traffic?",
        description:
          "503 while it is stopping, when the database takes no transaction, or once it went back to an earlier state.",
        tags: ["Operations"],
        response: { 200: Health },
      },
    },
    async () => {
      await health.checkReady();
      return { status: "ok" as const };
    },
  );

  wire.get(
    "/metrics",
    {
      config: { access: { by: "operations" } },
      schema: {
        summary: "Prometheus metrics",
        description: "From loopback, or with the metrics token as a bearer token.",
        tags: ["Operations"],
      },
    },
    async (_request, reply) => {
      const { text, contentType } = await metrics.expose();
      return reply.type(contentType).send(text);
    },
  );
}
