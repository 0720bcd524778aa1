import type { Wire } from "../platform/http/wire.ts";
import type { RollbackWatch } from "./service.ts";

/** What is answered whatever happened: a supervisor must not restart into the same state, and metrics must show it. */
const always = new Set(["/healthz", "/readyz", "/metrics"]);

/**
 * Refuses every call once the record went back. To be added before the guard, which writes records of its own.
 *
 * `/readyz` asks by itself.
 */
export function refuseAfterRollback(wire: Wire, watch: RollbackWatch) {
  wire.addHook("onRequest", async (request) => {
    if (!always.has(request.routeOptions.url ?? "")) await watch.check();
  });
}
