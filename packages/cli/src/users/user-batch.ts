import { maxUserBatch, type UserInput } from "@sparekey/sdk";

// The server takes 4 MiB a call; a thousand users with long lists of groups are more.
const fullBytes = 2 * 1024 * 1024;

/** Rows that wait to be sent together, and the lines they came from. */
export interface UserBatch {
  add(user: UserInput, line: number): void;
  isFull(): boolean;
  /** Hands the rows out and begins anew. */
  take(): { users: UserInput[]; lines: number[] };
}

export function createUserBatch(): UserBatch {
  let users: UserInput[] = [];
  let lines: number[] = [];
  let bytes = 0;
  return {
    add(user, line) {
      users.push(user);
      lines.push(line);
      bytes += Buffer.byteLength(JSON.stringify(user));
    },
    isFull: () => users.length >= maxUserBatch || bytes >= fullBytes,
    take() {
      const taken = { users, lines };
      [users, lines, bytes] = [[], [], 0];
      return taken;
    },
  };
}
