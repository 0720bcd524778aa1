import { type Static, Type } from "typebox";

/** The vendor's business error: what the API itself answers. */
export const VendorError = Type.Object({
  code: Type.String({
    description: "Status number, a space, and the status name in capitals.",
    examples: ["404 NOT_FOUND"],
  }),
  description: Type.String({ examples: ["User john.doe@example.com not found"] }),
});
export type VendorError = Static<typeof VendorError>;

/** What the vendor's gate answers, before the API is reached, when it does not accept the token. */
export const VendorGateError = Type.Object({
  timestamp: Type.Integer({ description: "Milliseconds since 1970." }),
  status: Type.Integer(),
  error: Type.String({ examples: ["Forbidden"] }),
  message: Type.String({ examples: ["Server failed to process provided access token"] }),
  path: Type.String(),
});
export type VendorGateError = Static<typeof VendorGateError>;
