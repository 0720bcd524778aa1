/** Randomness as an argument, so that a test or a simulation can replay it. */
import { randomBytes, randomUUID } from "node:crypto";

export interface Random {
  bytes(length: number): Buffer;
  uuid(): string;
}

export const systemRandom: Random = { bytes: randomBytes, uuid: randomUUID };
