/**
 * Users, straight into the tables: over HTTP a million of them would take hours.
 *
 * All have what a user has. Codes with their digests, which are slow on purpose, have only those who will use one; they
 * are spread over all the others.
 */
import { randomUUID } from "node:crypto";
import { generateCode, groupCode } from "../../packages/server/src/emergency-codes/code.ts";
import { digestCode, newRecipe } from "../../packages/server/src/emergency-codes/digest.ts";
import type { Keys } from "../../packages/server/src/keyring/service.ts";
import { systemRandom } from "../../packages/server/src/platform/random.ts";
import { foldLoginName } from "../../packages/server/src/users/service.ts";

export interface BenchUser {
  id: string;
  username: string;
}

export interface Population {
  /** Users whose codes are issued. Issuing replaces a code, so those who verify are others. */
  issued: BenchUser[];
  /** Users with a code that may be used again and again. */
  verified: (BenchUser & { code: string })[];
}

/** Columns in the order of a row's values, each with its type. */
export type Columns = Record<string, "text" | "integer">;
export type Row = (string | number | null)[];

/** Takes rows as fast as a database can. */
export interface Filler {
  insert(table: string, columns: Columns, rows: Row[]): Promise<void>;
  /** Makes of it what a database is that was there before. */
  finish(): Promise<void>;
}

interface Wanted {
  count: number;
  companyId: string;
  keyring: Keys;
  signal: AbortSignal;
}

/** Nobody waits for a million digests, and this many are more than any cache of ours holds. */
const mostUsed = 40_000;
const batchSize = 5_000;
const now = new Date().toISOString();
const expiresAt = new Date(Date.now() + 7 * 24 * 3_600_000).toISOString();

const users: Columns = {
  ...{ id: "text", company_id: "text", username: "text", email: "text", first_name: "text", last_name: "text" },
  ...{ status: "text", groups: "text", created_at: "text", updated_at: "text" },
};
const loginNames: Columns = { company_id: "text", folded: "text", user_id: "text" };
const access: Columns = {
  ...{ company_id: "text", user_id: "text", user_enabled: "integer", code_id: "text", status: "text" },
  ...{ digest: "text", salt: "text", algorithm: "text", iterations: "integer", pepper_kid: "text" },
  ...{ issued_at: "text", expires_at: "text" },
};

export async function populate(filler: Filler, wanted: Wanted): Promise<Population> {
  const population: Population = { issued: [], verified: [] };
  const { count, signal } = wanted;
  for (let start = 0; start < count; start += batchSize) {
    signal.throwIfAborted();
    const end = Math.min(start + batchSize, count);
    const rows = await makeRows({ start, end }, wanted, population);
    await filler.insert("users", users, rows.users);
    await filler.insert("login_names", loginNames, rows.names);
    await filler.insert("emergency_access", access, rows.access);
    tell(`${end.toLocaleString("en")} of ${count.toLocaleString("en")} users`);
  }
  await filler.finish();
  shuffle(population.issued);
  shuffle(population.verified);
  return population;
}

/** People do not come in the order in which they were hired, one page of the table after the other. */
function shuffle(items: unknown[]) {
  for (let last = items.length - 1; last > 0; last -= 1) {
    const other = Math.floor(Math.random() * (last + 1));
    [items[last], items[other]] = [items[other], items[last]];
  }
}

async function makeRows({ start, end }: { start: number; end: number }, wanted: Wanted, population: Population) {
  const rows = { users: [] as Row[], names: [] as Row[], access: [] as Row[] };
  const { count, companyId } = wanted;
  const step = Math.ceil(count / mostUsed);
  for (let index = start; index < end; index += 1) {
    const user = { id: randomUUID(), username: `bench.user${index}` };
    const email = `${user.username}@example.com`;
    rows.users.push([user.id, companyId, user.username, email, "Bench", String(index), "enabled", "[]", now, now]);
    for (const name of [user.username, email]) rows.names.push([companyId, foldLoginName(name), user.id]);
    const use = index % step === 0 ? (index / step) % 2 : undefined;
    if (use === 0) population.issued.push(user);
    const code = use === 1 ? await makeCode(user.id, wanted) : undefined;
    if (code !== undefined) population.verified.push({ ...user, code: code.plain });
    rows.access.push([companyId, user.id, 1, ...(code?.columns ?? noCode)]);
  }
  return rows;
}

const noCode: Row = Array.from({ length: 9 }, () => null);

async function makeCode(userId: string, { companyId, keyring }: Wanted): Promise<{ plain: string; columns: Row }> {
  const pepper = keyring.current("code_pepper");
  const plain = generateCode({ alphabet: "symbols", length: 10 }, systemRandom);
  const recipe = newRecipe(plain, pepper, systemRandom);
  const codeId = randomUUID();
  const digest = await digestCode(plain, { companyId, userId, codeId }, recipe, pepper);
  const { salt, algorithm, iterations, pepperKid } = recipe;
  return {
    plain: groupCode(plain),
    columns: [codeId, "active", digest, salt, algorithm, iterations, pepperKid, now, expiresAt],
  };
}

function tell(text: string) {
  if (process.stderr.isTTY) process.stderr.write(`\r  ${text}`);
}
