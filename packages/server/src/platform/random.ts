/** Randomness as an argument, so that a test or a simulation can replay it. */
import { randomFillSync, randomUUID } from "node:crypto";

export interface Random {
  bytes(length: number): Buffer;
  uuid(): string;
}

const poolBytes = 4_096;
let pool = Buffer.alloc(0);

export const systemRandom: Random = { bytes: takeFromPool, uuid: () => randomUUID() };

/** A call to the system costs more than the bytes, so they are fetched in advance and each is handed out once. */
function takeFromPool(length: number): Buffer {
  if (length > pool.length) pool = randomFillSync(Buffer.alloc(Math.max(poolBytes, length)));
  const taken = Buffer.from(pool.subarray(0, length));
  pool = pool.subarray(length);
  return taken;
}
