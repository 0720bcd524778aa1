import { type Static, Type } from "typebox";

/** The vendor's `<accessID>.key` file: an API key as its owner holds it. Secret. */
export const KeyFile = Type.Object({
  customerName: Type.String(),
  accessID: Type.String({ description: "Names the key; the `sub` of every token that it signs." }),
  accessKey: Type.String({ description: "RSA private key, PEM, PKCS#1 (`RSA PRIVATE KEY`)." }),
  adminRestApiUrl: Type.String({ description: "Ends with `/AdminInterface/restapi/` or `…/v1`." }),
  description: Type.Optional(Type.String()),
});
export type KeyFile = Static<typeof KeyFile>;
