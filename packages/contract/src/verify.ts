import { type Static, Type } from "typebox";

/** `POST /api/v1/verify`: one call that says whether a user's emergency code is accepted. */
export const VerifyRequest = Type.Object(
  {
    user: Type.String({ minLength: 1, maxLength: 1_000, description: "Username, alternate username or email." }),
    code: Type.String({
      minLength: 1,
      maxLength: 1_000,
      description: "As typed: case, spaces and hyphens do not matter.",
    }),
  },
  { additionalProperties: false },
);
export type VerifyRequest = Static<typeof VerifyRequest>;

/** `false` never says why: the record and the help desk's page do. */
export const VerifyAnswer = Type.Object({ accepted: Type.Boolean() }, { additionalProperties: false });
export type VerifyAnswer = Static<typeof VerifyAnswer>;
