/** Prometheus metrics of this process. Labels are fixed words and route patterns: never what a client sent. */
import { Counter, collectDefaultMetrics, Histogram, Registry } from "prom-client";

export interface Metrics {
  request(labels: { method: string; route: string; status: number }, seconds: number): void;
  event(labels: { action: string; outcome: string; reason: string }): void;
  /** The text that Prometheus reads, and its content type. */
  expose(): Promise<{ text: string; contentType: string }>;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const requests = new Histogram({
    name: "sparekey_http_request_duration_seconds",
    help: "Time from a request's arrival to its answer",
    labelNames: ["method", "route", "status"],
    buckets: [0.001, 0.005, 0.025, 0.05, 0.1, 0.25, 1, 5],
    registers: [registry],
  });
  const events = new Counter({
    name: "sparekey_events_total",
    help: "Audit records written, by what they record",
    labelNames: ["action", "outcome", "reason"],
    registers: [registry],
  });
  return {
    request: ({ method, route, status }, seconds) =>
      requests.observe({ method, route, status: String(status) }, seconds),
    event: (labels) => events.inc(labels),
    expose: async () => ({ text: await registry.metrics(), contentType: registry.contentType }),
  };
}
