import type { Job } from "../platform/jobs.ts";
import type { KeyringService } from "./service.ts";

/** For a node whose source of the root key gives the new one only later: it gets ready without a restart. */
export function lookForRootKey(keyring: KeyringService): Job {
  return { name: "look for the new root key", everyMs: 5_000, run: () => keyring.recover() };
}
