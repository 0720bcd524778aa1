import { AuditPage, AuditQuery } from "@sparekey/contract";
import { deadlinesMs } from "../platform/http/overload.ts";
import type { Wire } from "../platform/http/wire.ts";
import type { AuditService } from "./service.ts";

/** Sparekey's own API: the record. */
export function auditRoutes(wire: Wire, audit: AuditService) {
  wire.get(
    "/audit/events",
    {
      handlerTimeout: deadlinesMs.slow,
      config: { access: { by: "administrator", permission: "rsa.audit.admin" } },
      schema: {
        summary: "Read the audit record",
        description:
          "In the order of the record. Send the answer's `cursor` as `after` to go on; an empty page is the end for now.",
        tags: ["Audit"],
        querystring: AuditQuery,
        response: { 200: AuditPage },
      },
    },
    async (request) => audit.find(request.query as AuditQuery),
  );
}
