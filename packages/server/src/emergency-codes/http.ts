/** Sparekey's own API: one user's emergency code. */
import { EmergencyAccess, IssuedEmergencyCode, IssueEmergencyCode } from "@sparekey/contract";
import type { Wire } from "../platform/http/wire.ts";
import { asAdministrator, type RouteAccess } from "../principal.ts";
import type { EmergencyCodesService } from "./service.ts";

const access: RouteAccess = { by: "administrator", permission: "rsa.authenticator.emergency.manage" };

interface UserParams {
  userId: string;
}

export function emergencyCodeRoutes(wire: Wire, codes: EmergencyCodesService) {
  wire.post<{ Params: UserParams; Body: IssueEmergencyCode | undefined }>(
    "/users/:userId/emergency-code",
    {
      config: { access, repeatable: true },
      schema: {
        summary: "Issue an emergency code",
        description: "Replaces the code before it. The answer says which settings hold and where each came from.",
        tags: ["Emergency codes"],
        body: IssueEmergencyCode,
        response: { 200: IssuedEmergencyCode },
      },
    },
    async (request) => {
      const { policy, ...issued } = await codes.issue(
        asAdministrator(request.call),
        request.params.userId,
        request.body ?? {},
        request.repeatable,
      );
      return { ...issued, offlineExpiresAt: null, settings: { lifetime: policy.lifetime, oneTime: policy.oneTime } };
    },
  );

  wire.delete<{ Params: UserParams }>(
    "/users/:userId/emergency-code",
    {
      config: { access },
      schema: {
        summary: "Revoke the user's emergency code",
        description: "204 also when there was none.",
        tags: ["Emergency codes"],
      },
    },
    async (request, reply) => {
      await codes.revoke(asAdministrator(request.call), request.params.userId);
      return reply.code(204).send();
    },
  );

  wire.get<{ Params: UserParams }>(
    "/users/:userId/emergency-access",
    {
      config: { access: { by: "administrator", permission: "rsa.user.read" } },
      schema: {
        summary: "See how a user stands",
        description:
          "Code, ends, last use, failures and lock, with one sentence that explains them. Never the code itself.",
        tags: ["Emergency codes"],
        response: { 200: EmergencyAccess },
      },
    },
    async (request) => codes.access(request.params.userId),
  );
}
