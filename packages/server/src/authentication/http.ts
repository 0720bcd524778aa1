/** How codes are used: the vendor's Authentication API, and Sparekey's own one-call verification. */
import {
  AuthnAnswer,
  AuthnCancel,
  AuthnInitialize,
  AuthnStatus,
  AuthnStatusAnswer,
  AuthnVerify,
  VerifyAnswer,
  VerifyRequest,
} from "@sparekey/contract";
import type { EmergencyCodesService } from "../emergency-codes/service.ts";
import type { Wire } from "../platform/http/wire.ts";
import { asAuthenticationClient, type RouteAccess } from "../principal.ts";
import type { AuthenticationService } from "./service.ts";

const access: RouteAccess = { by: "authentication_client" };
const tags = ["Vendor: authentication"];

export function vendorAuthenticationRoutes(wire: Wire, authentication: AuthenticationService) {
  wire.post(
    "/authn/initialize",
    {
      config: { access },
      schema: {
        summary: "Begin an authentication attempt",
        description: "With `subjectCredentials` it is verified in the same call.",
        tags,
        body: AuthnInitialize,
        response: { 200: AuthnAnswer },
      },
    },
    async (request) => authentication.initialize(asAuthenticationClient(request.call), request.body),
  );
  wire.post(
    "/authn/verify",
    {
      config: { access },
      schema: { summary: "Present a code", tags, body: AuthnVerify, response: { 200: AuthnAnswer } },
    },
    async (request) => authentication.verify(asAuthenticationClient(request.call), request.body),
  );
  wire.post(
    "/authn/status",
    {
      config: { access },
      schema: {
        summary: "See where an attempt stands",
        description: "A finished attempt that was kept can be read once.",
        tags,
        body: AuthnStatus,
        response: { 200: AuthnStatusAnswer },
      },
    },
    async (request) => authentication.status(asAuthenticationClient(request.call), request.body),
  );
  wire.post(
    "/authn/cancel",
    {
      config: { access },
      schema: { summary: "End an attempt", tags, body: AuthnCancel, response: { 200: AuthnStatusAnswer } },
    },
    async (request) => authentication.cancel(asAuthenticationClient(request.call), request.body),
  );
}

export function verifyRoutes(wire: Wire, codes: EmergencyCodesService) {
  wire.post(
    "/verify",
    {
      config: { access },
      schema: {
        summary: "Verify an emergency code",
        description:
          "One call for VPNs, PAM and scripts. It spends the code, or a try, and never says why a code is not accepted.",
        tags: ["Verification"],
        body: VerifyRequest,
        response: { 200: VerifyAnswer },
      },
    },
    async (request) => {
      const { accepted } = await codes.verify(asAuthenticationClient(request.call), request.body);
      return { accepted };
    },
  );
}
