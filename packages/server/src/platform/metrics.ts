/** Prometheus metrics of this process. Labels are fixed words and route patterns: never what a client sent. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { DatabaseLoad } from "./database/database.ts";

export interface Metrics {
  request(labels: { method: string; route: string; status: number }, seconds: number): void;
  event(labels: { action: string; outcome: string; reason: string }): void;
  /** A request that was refused because there was too much to do, or answered before its work was done. */
  refused(reason: string): void;
  /** Shows how busy the process is, as it is when somebody asks. */
  watch(gauges: Gauges): void;
  /** The text that Prometheus reads, and its content type. */
  expose(): Promise<{ text: string; contentType: string }>;
}

export interface Gauges {
  inFlight(): number;
  database(): DatabaseLoad;
  leaseAgeMs(): number;
  /** Why the node is not ready, in a word. */
  notReady(): Promise<string | undefined>;
}

/** What `notReady` may answer, so that each has a series before it happens. */
const reasons = ["stopping", "clock", "standby", "rollback", "keys", "database", "overloaded"];

export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const requests = new Histogram({
    name: "sparekey_http_request_duration_seconds",
    help: "Time from a request's arrival to its answer",
    labelNames: ["method", "route", "status"],
    buckets: [0.001, 0.005, 0.025, 0.05, 0.1, 0.25, 1, 5],
    registers,
  });
  const events = new Counter({
    name: "sparekey_events_total",
    help: "Audit records written, by what they record",
    labelNames: ["action", "outcome", "reason"],
    registers,
  });
  const refused = new Counter({
    name: "sparekey_http_refused_total",
    help: "Requests refused for overload, or answered at their deadline before their work was done",
    labelNames: ["reason"],
    registers,
  });
  for (const reason of ["overload", "deadline"]) refused.inc({ reason }, 0);
  return {
    request: ({ method, route, status }, seconds) =>
      requests.observe({ method, route, status: String(status) }, seconds),
    event: (labels) => events.inc(labels),
    refused: (reason) => refused.inc({ reason }),
    watch: (gauges) => watchProcess(registry, gauges),
    expose: async () => ({ text: await registry.metrics(), contentType: registry.contentType }),
  };
}

function watchProcess(registry: Registry, { inFlight, database, leaseAgeMs, notReady }: Gauges) {
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name: `sparekey_${name}`,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  gauge("http_requests_in_flight", "Requests under way", inFlight);
  gauge("database_queue_length", "Writes that wait for their turn", () => database().queued);
  gauge("database_queue_oldest_seconds", "How long the oldest of them has waited", () => database().oldestMs / 1_000);
  gauge("lease_age_seconds", "Age of the lease on settings and keys", () => leaseAgeMs() / 1_000);
  new Gauge({
    name: "sparekey_not_ready",
    help: "1 for the reason why this node should have no traffic",
    labelNames: ["reason"],
    registers: [registry],
    async collect() {
      const current = await notReady();
      for (const reason of reasons) this.set({ reason }, reason === current ? 1 : 0);
    },
  });
  watchPools(registry, database);
}

/** What the database does at once, for each kind of work. */
function watchPools(registry: Registry, database: () => DatabaseLoad) {
  const gauge = (name: string, help: string, property: "most" | "inUse" | "waiting") =>
    new Gauge({
      name: `sparekey_database_pool_${name}`,
      help,
      labelNames: ["pool"],
      registers: [registry],
      collect() {
        for (const [pool, use] of Object.entries(database().pools)) this.set({ pool }, use[property]);
      },
    });
  gauge("size", "How many may run at once", "most");
  gauge("in_use", "How many run", "inUse");
  gauge("waiting", "How many wait for one to end", "waiting");
}
