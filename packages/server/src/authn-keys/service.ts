/** Authentication API keys: what a VPN, a web gateway or a script presents to have a code verified. */
import { hash } from "node:crypto";
import type { AuditService } from "../audit/service.ts";
import type { Clock } from "../platform/clock.ts";
import type { Database } from "../platform/database/database.ts";
import type { Random } from "../platform/random.ts";
import { Refusal } from "../platform/refusal.ts";
import type { AuthenticationClient, Call } from "../principal.ts";
import type { RevisionService } from "../revision/service.ts";
import type { Connection, Tables } from "../schema/tables.ts";
import * as store from "./store.ts";

interface Dependencies {
  clock: Clock;
  random: Random;
  audit: AuditService;
}

interface ServiceDependencies extends Dependencies {
  db: Database<Tables>;
  companyId: string;
  revision: RevisionService;
}

const keyPattern = /^[A-Za-z0-9_-]{64}$/;

export class AuthnKeysService {
  readonly #with: ServiceDependencies;
  /** Keys that were found, for as long as the revision is the same. One that was not found may be new. */
  #keys: { revision: number; byDigest: Map<string, store.AuthnKey> } | undefined;

  constructor(dependencies: ServiceDependencies) {
    this.#with = dependencies;
  }

  /** The client that presents this key, if the key is one of ours. */
  async authenticate(clientKey: string): Promise<AuthenticationClient | undefined> {
    if (!keyPattern.test(clientKey)) return undefined;
    const digest = digestOf(clientKey);
    const revision = await this.#with.revision.current();
    if (this.#keys?.revision !== revision) this.#keys = { revision, byDigest: new Map() };
    const { byDigest } = this.#keys;
    const key = byDigest.get(digest) ?? (await store.findAuthnKey(this.#with.db.read, this.#with.companyId, digest));
    if (key === undefined) return undefined;
    byDigest.set(digest, key);
    return { kind: "authentication_client", id: key.id };
  }

  /** Answers the key itself, 64 characters; only its digest is kept. */
  create(call: Call, name: string): Promise<{ id: string; clientKey: string }> {
    const { db, companyId } = this.#with;
    return db.write((trx) => createAuthnKey(trx, companyId, name, call, this.#with));
  }

  list(): Promise<store.AuthnKey[]> {
    return store.listAuthnKeys(this.#with.db.read, this.#with.companyId);
  }

  /** Refuses with `api_key_not_found`. Open attempts of the key end with it. */
  async delete(call: Call, id: string): Promise<void> {
    const { db, companyId, audit, revision } = this.#with;
    await db.write(async (trx) => {
      if (!(await store.deleteAuthnKey(trx, companyId, id))) {
        throw new Refusal("api_key_not_found", { answer: `No key ${id.slice(0, 100)}` });
      }
      await audit.record(trx, call, { action: "authn_key.deleted", details: { keyId: id } });
      await revision.raise(trx);
    });
    await revision.settle();
  }
}

/** Makes a key in the caller's unit of work. */
export async function createAuthnKey(
  trx: Connection,
  companyId: string,
  name: string,
  call: Call,
  { clock, random, audit }: Dependencies,
): Promise<{ id: string; clientKey: string }> {
  const clientKey = random.bytes(48).toString("base64url");
  const id = random.uuid();
  await store.insertAuthnKey(trx, companyId, { id, name, digest: digestOf(clientKey), createdAt: clock.now() });
  await audit.record(trx, call, { action: "authn_key.created", details: { keyId: id, name } });
  return { id, clientKey };
}

/** A plain hash is enough: the key has 384 random bits, so nobody guesses it from its digest. */
function digestOf(clientKey: string): string {
  return hash("sha256", `authn-key/v1${clientKey}`, "base64url");
}
