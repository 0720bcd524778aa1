/** Sparekey's own user calls: `/api/v1/users`. */
import { type Static, Type } from "typebox";

const Name = Type.String({ maxLength: 200 });
/** Something that a person can see and type: no control characters, and not white space alone. */
const LoginName = Type.String({ minLength: 1, maxLength: 320, pattern: "^(?=.*\\S)[^\\p{Cc}\\p{Cs}]*$" });
const Email = Type.String({
  maxLength: 320,
  pattern: "^[^@\\s\\p{Cc}\\p{Cs}]+@[^@\\s\\p{Cc}\\p{Cs}]+$",
  examples: ["jane.doe@example.com"],
});

/** The most users that one call creates or updates. */
export const maxUserBatch = 1_000;

export const UserInput = Type.Object(
  {
    username: LoginName,
    email: Email,
    firstName: Name,
    lastName: Name,
    status: Type.Optional(Type.Enum(["enabled", "disabled"])),
    alternateUsername: Type.Optional(Type.Union([LoginName, Type.Null()])),
    managerEmail: Type.Optional(Type.Union([Email, Type.Null()])),
    groups: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 200 }), { maxItems: 200, uniqueItems: true }),
    ),
  },
  {
    additionalProperties: false,
    description: "Matched by username. An optional property that is left out keeps its value; a new user is enabled.",
  },
);
export type UserInput = Static<typeof UserInput>;

export const User = Type.Object({
  id: Type.String(),
  username: Type.String(),
  alternateUsername: Type.Union([Type.String(), Type.Null()]),
  email: Type.String(),
  firstName: Type.String(),
  lastName: Type.String(),
  status: Type.Enum(["enabled", "disabled"]),
  managerEmail: Type.Union([Type.String(), Type.Null()]),
  groups: Type.Array(Type.String()),
  createdAt: Type.String(),
  updatedAt: Type.String(),
});
export type User = Static<typeof User>;

export const UserResult = Type.Object({
  row: Type.Integer({ description: "Place in the request, from 1." }),
  username: Type.String(),
  outcome: Type.Enum(["created", "updated", "unchanged", "refused"]),
  user: Type.Optional(User),
  code: Type.Optional(Type.String({ description: "Error code of a refused row." })),
  detail: Type.Optional(Type.String()),
});
export type UserResult = Static<typeof UserResult>;

export const UserBatchAnswer = Type.Object({
  created: Type.Integer(),
  updated: Type.Integer(),
  unchanged: Type.Integer(),
  refused: Type.Integer(),
  results: Type.Array(UserResult),
});
export type UserBatchAnswer = Static<typeof UserBatchAnswer>;
