import { type SparekeyClient, SparekeyError, type UserDetails } from "@sparekey/sdk";
import { printable } from "./printable.ts";

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Whom USER means. */
export interface FoundUser {
  id: string;
  /** How to call the user in a sentence: `Jane Doe (jdoe)`. */
  label: string;
  /** Undefined when USER was an id: no call finds a user's names by it. */
  details: UserDetails | undefined;
}

/** Finds a user by username, alternate username, email or id. */
export async function findUser(client: SparekeyClient, user: string): Promise<FoundUser> {
  if (uuid.test(user)) return { id: user, label: user, details: undefined };
  const details = await lookUp(client, user);
  const names = [details.firstName, details.lastName].filter((name) => name !== "").join(" ");
  const loginName = details.principalUsername || details.emailAddress;
  const label = printable(names === "" ? loginName : `${names} (${loginName})`);
  return { id: details.id, label, details };
}

/** A username may look like an email address and be another one than the user's. */
async function lookUp(client: SparekeyClient, user: string): Promise<UserDetails> {
  if (!user.includes("@")) return client.vendor.lookupUser({ username: user });
  try {
    return await client.vendor.lookupUser({ email: user });
  } catch (error) {
    if (error instanceof SparekeyError && error.code === "user_not_found") {
      return client.vendor.lookupUser({ username: user });
    }
    throw error;
  }
}
