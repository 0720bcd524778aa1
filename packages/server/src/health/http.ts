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
      config: { vital: true, access: { by: "anyone", because: "a supervisor has no credentials; it says nothing" } },
      schema: { summary: "Is the process alive?", tags: ["Operations"], response: { 200: Health } },
    },
    async () => ({ status: "ok" as const }),
  );

  wire.get(
    "/readyz",
    {
      config: { vital: true, access: { by: "anyone", because: "a load balancer has no credentials; it says a word" } },
      schema: {
        summary: "May it have traffic?",
        description:
          "Within a second. 503 names the `reason`: `stopping`, `clock`, `standby`, `rollback`, `keys`, or `database` when that takes no transaction in time; `overloaded` when that is because of too many requests.",
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
      config: { vital: true, access: { by: "operations" } },
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
