/** Randomness as an argument, so that a test or a simulation can replay it. */
import { randomFillSync, randomUUID } from "node:crypto";

export interface Random {
  bytes(length: number): Buffer;
  uuid(): string;
  /**
   * A UUID that begins with the time (version 7), for rows without end: an index over them grows at its end,
   * while random ids touch, and so write, another page each.
   */
  uuidInOrder(epochMs: number): string;
}

const poolBytes = 4_096;
let pool = Buffer.alloc(0);

export const systemRandom: Random = { bytes: takeFromPool, uuid: () => randomUUID(), uuidInOrder };

/** A call to the system costs more than the bytes, so they are fetched in advance and each is handed out once. */
function takeFromPool(length: number): Buffer {
  if (length > pool.length) pool = randomFillSync(Buffer.alloc(Math.max(poolBytes, length)));
  const taken = Buffer.from(pool.subarray(0, length));
  pool = pool.subarray(length);
  return taken;
}

function uuidInOrder(epochMs: number): string {
  const bytes = takeFromPool(16);
  bytes.writeUIntBE(epochMs, 0, 6);
  bytes.writeUInt8(0x70 | (bytes.readUInt8(6) & 0x0f), 6);
  bytes.writeUInt8(0x80 | (bytes.readUInt8(8) & 0x3f), 8);
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
