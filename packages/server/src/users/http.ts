/** Sparekey's own API: create and update users, one or a thousand. */
import { maxUserBatch, User, UserBatchAnswer, UserInput } from "@sparekey/contract";
import { Type } from "typebox";
import { deadlinesMs } from "../platform/http/overload.ts";
import { compileStrict } from "../platform/http/server.ts";
import type { Wire } from "../platform/http/wire.ts";
import type { BatchRow, UsersService } from "./service.ts";

/** A thousand users with all their groups. */
const batchLimitBytes = 4 * 1_024 * 1_024;
const isUserInput = compileStrict(UserInput);

/** One user, or rows that are judged one by one: a bad row stops no other. */
const UserOrBatch = Type.Union([UserInput, Type.Array(Type.Unknown(), { minItems: 1, maxItems: maxUserBatch })]);

export function userRoutes(wire: Wire, users: UsersService) {
  wire.post<{ Body: UserInput | unknown[] }>(
    "/users",
    {
      config: { access: { by: "administrator", permission: "sparekey.user.write" } },
      bodyLimit: batchLimitBytes,
      handlerTimeout: deadlinesMs.batch,
      schema: {
        summary: "Create or update users",
        description:
          "One user as an object answers that user: 201 when created, 200 when not. An array of up to 1,000 answers a result a row. Users are matched by username.",
        tags: ["Users"],
        body: UserOrBatch,
        response: { 200: Type.Union([User, UserBatchAnswer]), 201: User },
      },
    },
    async (request, reply) => {
      if (Array.isArray(request.body)) return users.upsertAll(request.call, request.body.map(toBatchRow));
      const { user, outcome } = await users.upsert(request.call, request.body);
      return reply.code(outcome === "created" ? 201 : 200).send(user);
    },
  );
}

function toBatchRow(value: unknown): BatchRow {
  if (isUserInput(value)) return { input: value as UserInput };
  const [fault] = isUserInput.errors ?? [];
  const { username } = (value ?? {}) as { username?: unknown };
  const place = fault?.instancePath.slice(1).replaceAll("/", ".") ?? "";
  return {
    username: typeof username === "string" ? username.slice(0, 320) : "",
    problem: `${place === "" ? "the row" : place} ${fault?.message ?? "is not valid"}`,
  };
}
