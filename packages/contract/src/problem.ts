import { type Static, Type } from "typebox";

/** RFC 9457 problem details: the error body of everything under `/api/v1`. */
export const Problem = Type.Object({
  type: Type.String({ description: "A URI that names the kind of problem: `urn:sparekey:error:<code>`." }),
  title: Type.String(),
  status: Type.Integer(),
  code: Type.String({ description: "The permanent error code; programs switch over it." }),
  detail: Type.Optional(Type.String({ description: "What was wrong with this very request." })),
  reason: Type.Optional(
    Type.String({
      description:
        "Why a node is not ready: `stopping`, `clock`, `standby`, `rollback`, `keys`, `database`, `overloaded`.",
    }),
  ),
  requestId: Type.String({ description: "Finds the request in the server's log and record." }),
});
export type Problem = Static<typeof Problem>;
