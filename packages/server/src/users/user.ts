/** A user as the service knows it, and what changes when an administrator sends one again. */
import type { User, UserInput } from "@sparekey/contract";
import type { Instant } from "../platform/clock.ts";
import { foldLoginName } from "./login-name.ts";

export type { User } from "@sparekey/contract";

/** The user that an input makes of what was there before. */
export function applyInput(before: User | undefined, input: UserInput, id: string, now: Instant): User {
  return {
    id: before?.id ?? id,
    username: input.username,
    alternateUsername:
      input.alternateUsername === undefined ? (before?.alternateUsername ?? null) : input.alternateUsername,
    email: input.email,
    firstName: input.firstName,
    lastName: input.lastName,
    status: input.status ?? before?.status ?? "enabled",
    managerEmail: input.managerEmail === undefined ? (before?.managerEmail ?? null) : input.managerEmail,
    groups: input.groups ?? before?.groups ?? [],
    createdAt: before?.createdAt ?? now,
    updatedAt: now,
  };
}

/** Names of the properties that differ, apart from when it was changed. */
export function changedProperties(before: User, after: User): string[] {
  const names = Object.keys(after) as (keyof User)[];
  return names.filter((name) => name !== "updatedAt" && JSON.stringify(before[name]) !== JSON.stringify(after[name]));
}

/** Every name that this user can sign in with, folded, without repeats. */
export function loginNamesOf(user: User): string[] {
  const names = [user.username, user.email, ...(user.alternateUsername === null ? [] : [user.alternateUsername])];
  return [...new Set(names.map(foldLoginName))];
}
