import type { Instant } from "../platform/clock.ts";
import { lookup } from "../platform/database/lookup.ts";
import type { Connection, Tables } from "../schema/tables.ts";
import type { User } from "./user.ts";

const userById = lookup((db: Connection, { companyId, id }: { companyId: string; id: string }) =>
  db.selectFrom("users").selectAll().where("company_id", "=", companyId).where("id", "=", id),
);

const userByLoginName = lookup((db: Connection, { companyId, folded }: { companyId: string; folded: string }) =>
  db
    .selectFrom("login_names")
    .innerJoin("users", "users.id", "login_names.user_id")
    .selectAll("users")
    .where("login_names.company_id", "=", companyId)
    .where("login_names.folded", "=", folded),
);

export async function findUser(db: Connection, companyId: string, id: string): Promise<User | undefined> {
  const [row] = await userById(db, { companyId, id });
  return row && toUser(row);
}

/** The user who signs in with this folded name: username, alternate username or email. */
export async function findUserByLoginName(
  db: Connection,
  companyId: string,
  folded: string,
): Promise<User | undefined> {
  const [row] = await userByLoginName(db, { companyId, folded });
  return row && toUser(row);
}

export async function insertUser(trx: Connection, companyId: string, user: User): Promise<void> {
  await trx
    .insertInto("users")
    .values({ id: user.id, company_id: companyId, created_at: user.createdAt as Instant, ...columnsOf(user) })
    .execute();
}

export async function updateUser(trx: Connection, companyId: string, user: User): Promise<void> {
  await trx
    .updateTable("users")
    .set(columnsOf(user))
    .where("company_id", "=", companyId)
    .where("id", "=", user.id)
    .execute();
}

/** Sets the status if it differs; answers whether it did, or undefined when there is no such user. */
export async function updateStatus(
  trx: Connection,
  companyId: string,
  id: string,
  status: User["status"],
  now: Instant,
): Promise<boolean> {
  const row = await trx
    .updateTable("users")
    .set({ status, updated_at: now })
    .where("company_id", "=", companyId)
    .where("id", "=", id)
    .where("status", "!=", status)
    .returning("id")
    .executeTakeFirst();
  return row !== undefined;
}

/** Makes these the user's only login names; answers the first that already belongs to somebody else. */
export async function replaceLoginNames(
  trx: Connection,
  companyId: string,
  userId: string,
  folded: string[],
): Promise<string | undefined> {
  await trx.deleteFrom("login_names").where("user_id", "=", userId).execute();
  const inserted = await trx
    .insertInto("login_names")
    .values(folded.map((name) => ({ company_id: companyId, folded: name, user_id: userId })))
    .onConflict((conflict) => conflict.doNothing())
    .returning("folded")
    .execute();
  const mine = new Set(inserted.map((row) => row.folded));
  return folded.find((name) => !mine.has(name));
}

function columnsOf(user: User) {
  return {
    username: user.username,
    alternate_username: user.alternateUsername,
    email: user.email,
    first_name: user.firstName,
    last_name: user.lastName,
    status: user.status,
    manager_email: user.managerEmail,
    groups: JSON.stringify(user.groups),
    updated_at: user.updatedAt as Instant,
  };
}

type UserRow = { [Column in keyof Tables["users"]]: Tables["users"][Column] };

function toUser(row: UserRow): User {
  return {
    id: row.id,
    username: row.username,
    alternateUsername: row.alternate_username,
    email: row.email,
    firstName: row.first_name,
    lastName: row.last_name,
    status: row.status,
    managerEmail: row.manager_email,
    groups: JSON.parse(row.groups) as string[],
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
