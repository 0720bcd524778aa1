/** One user as the fake server knows her. */
export const janeId = "5f0c2f6e-8a0b-4d57-9f9b-1c2d3e4f5a6b";

export const janeDetails = {
  id: janeId,
  emailAddress: "jane.doe@example.com",
  firstName: "Jane",
  lastName: "Doe",
  userStatus: "Enabled",
  principalUsername: "jdoe",
  alternateUsername: "",
  identitySourceSpecificGroups: ["Sales", "VPN"],
};

export const janeAccess = {
  userId: janeId,
  userStatus: "enabled",
  status: "active",
  codeId: "6f1f8f0e-1c39-4c6c-8d0b-6e3d2a1b5c77",
  issuedAt: "2026-08-06T13:34:44.000Z",
  expiresAt: "2026-08-07T13:34:44.000Z",
  offlineExpiresAt: null,
  oneTime: true,
  lastUsedAt: null,
  failures: 2,
  locked: false,
  lockedUntil: null,
  explanation: "The user can sign in with the code until 2026-08-07T13:34:44.000Z, once.",
};

export const janeLookup = { "POST /AdminInterface/restapi/v1/users/lookup": { body: janeDetails } };
