/** Authentication API keys: what a VPN, a web gateway or a script presents to have a code verified. */
import { createHash } from "node:crypto";
import type { AuditService } from "../audit/service.ts";
import type { Clock } from "../platform/clock.ts";
import type { Database } from "../platform/database/database.ts";
import type { Random } from "../platform/random.ts";
import { Refusal } from "../platform/refusal.ts";
import type { AuthenticationClient, Call } from "../principal.ts";
import type { Connection, Tables } from "../schema/tables.ts";
import { type AuthnKey, deleteAuthnKey, findAuthnKey, insertAuthnKey, listAuthnKeys } from "./store.ts";

export interface AuthnKeysService {
  /** The client that presents this key, if the key is one of ours. */
  authenticate(clientKey: string): Promise<AuthenticationClient | undefined>;
  /** Answers the key itself, 64 characters; only its digest is kept. */
  create(call: Call, name: string): Promise<{ id: string; clientKey: string }>;
  list(): Promise<AuthnKey[]>;
  /** Refuses with `api_key_not_found`. Open attempts of the key end with it. */
  delete(call: Call, id: string): Promise<void>;
}

interface Dependencies {
  clock: Clock;
  random: Random;
  audit: AuditService;
}

const keyPattern = /^[A-Za-z0-9_-]{64}$/;

export function createAuthnKeysService(
  db: Database<Tables>,
  companyId: string,
  dependencies: Dependencies,
): AuthnKeysService {
  return {
    authenticate: async (clientKey) => {
      if (!keyPattern.test(clientKey)) return undefined;
      const key = await findAuthnKey(db.read, companyId, digestOf(clientKey));
      return key && { kind: "authentication_client", id: key.id };
    },
    create: (call, name) => db.write((trx) => createAuthnKey(trx, companyId, name, call, dependencies)),
    list: () => listAuthnKeys(db.read, companyId),
    delete: (call, id) =>
      db.write(async (trx) => {
        if (!(await deleteAuthnKey(trx, companyId, id))) {
          throw new Refusal("api_key_not_found", { answer: `No Authentication API key ${id.slice(0, 100)}` });
        }
        await dependencies.audit.record(trx, call, { action: "authn_key.deleted", details: { keyId: id } });
      }),
  };
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
  await insertAuthnKey(trx, companyId, { id, name, digest: digestOf(clientKey), createdAt: clock.now() });
  await audit.record(trx, call, { action: "authn_key.created", details: { keyId: id, name } });
  return { id, clientKey };
}

/** A plain hash is enough: the key has 384 random bits, so nobody guesses it from its digest. */
function digestOf(clientKey: string): string {
  return createHash("sha256").update("authn-key/v1").update(clientKey).digest("base64url");
}
