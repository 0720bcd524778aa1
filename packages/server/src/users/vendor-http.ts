/** The vendor's wire: look a user up, enable or disable a user, unlock. */
import { UnlockMethods, UserDetails, UserLookup, UserStatus, UserStatusChanged } from "@sparekey/contract";
import type { EmergencyCodesService } from "../emergency-codes/service.ts";
import type { Wire } from "../platform/http/wire.ts";
import { asAdministrator } from "../principal.ts";
import { type UsersService, userNotFound } from "./service.ts";
import { toUserDetails } from "./user-details.ts";

interface UserParams {
  userId: string;
}

const tags = ["Vendor: users"];

export function vendorUserRoutes(wire: Wire, users: UsersService, codes: EmergencyCodesService) {
  wire.post(
    "/v1/users/lookup",
    {
      config: { access: { by: "administrator", permission: "rsa.user.read" } },
      schema: { summary: "User Details", tags, body: UserLookup, response: { 200: UserDetails } },
    },
    async (request) => {
      const { email, username } = request.body;
      const name = email ?? username ?? "";
      const user = await users.findByLoginName(name);
      if (user === undefined) throw userNotFound(name);
      return toUserDetails(user, await codes.access(user.id));
    },
  );

  wire.put<{ Params: UserParams; Body: UserStatus }>(
    "/v1/users/:userId/userStatus",
    {
      config: { access: { by: "administrator", permission: "rsa.user.manage" } },
      schema: {
        summary: "User Status",
        description: "While a user is disabled no code works; an unexpired one works again once the user is enabled.",
        tags,
        body: UserStatus,
        response: { 200: UserStatusChanged },
      },
    },
    async (request) => {
      const { userStatus } = request.body;
      const { userId } = request.params;
      await users.setStatus(asAdministrator(request.call), userId, userStatus === "Enabled" ? "enabled" : "disabled");
      return { id: userId, userStatus };
    },
  );

  wire.patch<{ Params: UserParams; Body: UnlockMethods }>(
    "/v1/users/:userId/methods",
    {
      config: { access: { by: "administrator", permission: "rsa.user.factor.manage" } },
      schema: {
        summary: "Unlock",
        description:
          "`EMERGENCY_TOKENCODE` clears the failures and the lock of emergency access. Sparekey locks no other method.",
        tags,
        body: UnlockMethods,
      },
    },
    async (request, reply) => {
      const call = asAdministrator(request.call);
      const { userId } = request.params;
      if (request.body.unlockMethods.includes("EMERGENCY_TOKENCODE")) await codes.unlock(call, userId);
      else await users.getManageable(call, userId);
      return reply.code(200).send();
    },
  );
}
