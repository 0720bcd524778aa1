/** The vendor's wire: enable and disable an emergency tokencode. */
import {
  EmergencyTokencodeV1,
  EmergencyTokencodeV2,
  EnableEmergencyTokencodeV1,
  EnableEmergencyTokencodeV2,
  maxLifetimeMinutes,
} from "@sparekey/contract";
import type { Wire } from "../platform/http/wire.ts";
import { Refusal } from "../platform/refusal.ts";
import { asAdministrator, type RouteAccess } from "../principal.ts";
import type { EmergencyCodesService, IssuedCode, IssueRequest } from "./service.ts";

const access: RouteAccess = { by: "administrator", permission: "rsa.authenticator.emergency.manage" };

interface UserParams {
  userId: string;
}

export function vendorEmergencyCodeRoutes(wire: Wire, codes: EmergencyCodesService) {
  enableV1(wire, codes);
  enableV2(wire, codes);
  disable(wire, codes);
}

function enableV1(wire: Wire, codes: EmergencyCodesService) {
  wire.put<{ Params: UserParams; Body: EnableEmergencyTokencodeV1 }>(
    "/v1/users/:userId/emergencyTokencode",
    {
      config: { access, repeatable: true },
      schemaErrorFormatter: (faults) =>
        faults.some(({ instancePath }) => instancePath === "/expirationDays") ? invalidExpiration() : wrongProperties(),
      schema: {
        summary: "Enable Emergency Tokencode",
        description:
          "Issues an emergency code and replaces the one before. The company's settings decide on single use.",
        tags: ["Vendor: emergency tokencodes"],
        body: EnableEmergencyTokencodeV1,
        response: { 200: EmergencyTokencodeV1 },
      },
    },
    async (request) => {
      const lifetime = { value: Number(request.body.expirationDays), unit: "days" } as const;
      const { call, params, repeatable } = request;
      return toVendor(await codes.issue(asAdministrator(call), params.userId, { lifetime }, repeatable));
    },
  );
}

function enableV2(wire: Wire, codes: EmergencyCodesService) {
  wire.put<{ Params: UserParams; Body: EnableEmergencyTokencodeV2 | undefined }>(
    "/v2/users/:userId/emergencyTokencode",
    {
      config: { access, repeatable: true },
      schema: {
        summary: "Enable Emergency Tokencode, version 2",
        description: "What the body leaves out is the company's; while the configuration is locked, all of it is.",
        tags: ["Vendor: emergency tokencodes"],
        body: EnableEmergencyTokencodeV2,
        response: { 200: EmergencyTokencodeV2 },
      },
    },
    async (request) => {
      const issued = await codes.issue(
        asAdministrator(request.call),
        request.params.userId,
        toRequest(request.body ?? {}),
        request.repeatable,
      );
      const { lifetime, oneTime, locked } = issued.policy;
      return {
        ...toVendor(issued),
        configurationsUsed: { expiryValue: lifetime.value, expiryUnit: lifetime.unit, oneTimeUse: oneTime.value },
        oneTimeUse: oneTime.value,
        configurationsLocked: locked,
      };
    },
  );
}

function disable(wire: Wire, codes: EmergencyCodesService) {
  // Both ends every code of the user, whichever id the path names.
  for (const [url, summary] of [
    ["/v1/users/:userId/emergencyTokencode/:eacId", "Disable Emergency Tokencode"],
    ["/v1/users/:userId/emergencyTokencodes", "Disable all emergency tokencodes (the older path)"],
  ] as const) {
    wire.delete<{ Params: UserParams }>(
      url,
      {
        config: { access },
        schema: {
          summary,
          description: "Ends online use at once. 200 with an empty body, also when there was no code.",
          tags: ["Vendor: emergency tokencodes"],
        },
      },
      async (request, reply) => {
        await codes.revoke(asAdministrator(request.call), request.params.userId);
        return reply.code(200).send();
      },
    );
  }
}

function toVendor(issued: IssuedCode): EmergencyTokencodeV1 {
  return {
    emergencyTokencodeId: issued.id,
    emergencyTokencode: issued.code,
    expirationDate: issued.expiresAt,
    offlineExpirationDate: null,
  };
}

function toRequest({ expiryUnit, expiryValue, oneTimeUse }: EnableEmergencyTokencodeV2): IssueRequest {
  if (expiryUnit === undefined || expiryValue === undefined) return { oneTime: oneTimeUse };
  const value = Number(expiryValue);
  if (value < 1 || value > maxLifetimeMinutes) throw invalidExpiration();
  return { lifetime: { unit: expiryUnit, value }, oneTime: oneTimeUse };
}

function wrongProperties(): Refusal {
  return new Refusal("malformed_request", { answer: "Wrong number of properties in the request body." });
}

function invalidExpiration(): Refusal {
  return new Refusal("invalid_expiration", { answer: "Invalid expiration date." });
}
