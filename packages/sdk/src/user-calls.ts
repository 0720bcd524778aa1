import type { User, UserBatchAnswer, UserInput } from "@sparekey/contract";
import type { ServerUrls } from "./server-urls.ts";
import type { Send } from "./transport.ts";

/** Sparekey's own calls about users; they need a Super Administrator's key. */
export interface UserCalls {
  /**
   * Creates the user, or updates the one with this username. An optional property that is left out keeps its value.
   * @throws SparekeyError `login_name_taken`, `malformed_request`, `access_denied`
   */
  upsert(user: UserInput): Promise<{ created: boolean; user: User }>;
  /**
   * The same for up to 1,000 users in one call, with a result a row. A row that is refused does not stop the others.
   */
  upsertBatch(users: readonly UserInput[]): Promise<UserBatchAnswer>;
}

export function createUserCalls(send: Send, urls: ServerUrls): UserCalls {
  const url = `${urls.own}/users`;
  return {
    async upsert(user) {
      const answer = await send<User>({ method: "POST", url, body: user });
      return { created: answer.status === 201, user: answer.body };
    },
    async upsertBatch(users) {
      return (await send<UserBatchAnswer>({ method: "POST", url, body: users })).body;
    },
  };
}
