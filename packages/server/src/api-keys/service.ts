/** API keys of administrators, and the legacy tokens that they sign. The server keeps public keys only. */
import { generateKeyPair, type KeyObject } from "node:crypto";
import { promisify } from "node:util";
import type { KeyFile, Role } from "@sparekey/contract";
import { LRUCache } from "lru-cache";
import type { AuditService } from "../audit/service.ts";
import { type Clock, instantToMs } from "../platform/clock.ts";
import type { Database } from "../platform/database/database.ts";
import type { Random } from "../platform/random.ts";
import { Refusal } from "../platform/refusal.ts";
import type { Administrator, Call } from "../principal.ts";
import type { RevisionService } from "../revision/service.ts";
import type { Connection, Tables } from "../schema/tables.ts";
import {
  audiencesOf,
  claimedKeyId,
  importPublicKey,
  isValidAt,
  type LegacyToken,
  readLegacyToken,
  type TokenFault,
} from "./legacy-token.ts";
import * as store from "./store.ts";

/** As many as the vendor allows a company. */
const maxApiKeys = 10;
/** When we make a key, it is this long; keys from elsewhere may have 2048 bits. */
const modulusLength = 3_072;
/** Tokens whose signature is already verified. A token is a kilobyte at most, so this is some megabytes at worst. */
const maxVerifiedTokens = 5_000;

export interface NewApiKey {
  role: Role;
  description: string;
}

interface Company {
  id: string;
  name: string;
  publicUrl: string;
}

interface Dependencies {
  db: Database<Tables>;
  company: Company;
  clock: Clock;
  random: Random;
  audit: AuditService;
  revision: RevisionService;
}

export class ApiKeysService {
  readonly #with: Dependencies;
  readonly #audiences: ReadonlySet<string>;
  readonly #verified = new LRUCache<string, { token: LegacyToken; publicKey: string }>({ max: maxVerifiedTokens });
  #keys: { revision: number; byId: Map<string, store.ApiKey> } | undefined;
  readonly #keyObjects = new LRUCache<string, KeyObject>({ max: 10 * maxApiKeys });

  constructor(dependencies: Dependencies) {
    this.#with = dependencies;
    this.#audiences = audiencesOf(dependencies.company.publicUrl);
  }

  /** The administrator that a bearer token speaks for, or why it speaks for nobody. */
  async authenticate(bearer: string): Promise<Administrator | TokenFault> {
    const { clock } = this.#with;
    const keyId = this.#verified.get(bearer)?.token.keyId ?? claimedKeyId(bearer);
    if (keyId === undefined) return "malformed";
    const key = await this.#find(keyId);
    if (key === undefined) return "unknown_key";
    const token = await this.#read(bearer, key.publicKey);
    if (typeof token === "string") return token;
    if (!isValidAt(token, instantToMs(clock.now()))) return "not_valid_now";
    return { kind: "administrator", id: key.id, role: key.role };
  }

  /** Answers the key file, which exists nowhere else. Refuses with `too_many_api_keys`. */
  async create(call: Call, request: NewApiKey): Promise<KeyFile> {
    const { db, company, audit } = this.#with;
    const { key, keyFile } = await makeApiKey(company, request, this.#with);
    await db.write((trx) => insertKey(trx, company.id, key, audit, call));
    return keyFile;
  }

  list(): Promise<store.ApiKey[]> {
    return store.listApiKeys(this.#with.db.read, this.#with.company.id);
  }

  /** Refuses with `api_key_not_found`. Tokens of the key are refused from then on. */
  async delete(call: Call, id: string): Promise<void> {
    const { db, company, audit, revision } = this.#with;
    await db.write(async (trx) => {
      if (!(await store.deleteApiKey(trx, company.id, id))) {
        throw new Refusal("api_key_not_found", { answer: `No API key ${id.slice(0, 100)}` });
      }
      await audit.record(trx, call, { action: "api_key.deleted", details: { keyId: id } });
      await revision.raise(trx);
    });
    await revision.settle();
  }

  /** From memory for as long as the revision is the same. A key that is not there is looked for every time: it may be new. */
  async #find(id: string): Promise<store.ApiKey | undefined> {
    const revision = await this.#with.revision.current();
    if (this.#keys?.revision !== revision) this.#keys = { revision, byId: new Map() };
    const { byId } = this.#keys;
    const known = byId.get(id);
    if (known !== undefined) return known;
    const key = await store.findApiKey(this.#with.db.read, this.#with.company.id, id);
    if (key !== undefined) byId.set(id, key);
    return key;
  }

  /** Verifies a signature once a token. Only that is remembered: key and time are asked about every time. */
  async #read(bearer: string, publicKey: string): Promise<LegacyToken | TokenFault> {
    const known = this.#verified.get(bearer);
    if (known?.publicKey === publicKey) return known.token;
    const token = await readLegacyToken(bearer, this.#keyObject(publicKey), this.#audiences);
    if (typeof token !== "string") this.#verified.set(bearer, { token, publicKey });
    return token;
  }

  #keyObject(pem: string): KeyObject {
    const known = this.#keyObjects.get(pem);
    if (known !== undefined) return known;
    const key = importPublicKey(pem);
    this.#keyObjects.set(pem, key);
    return key;
  }
}

/** Makes a key pair; the private half is only in the key file that is answered. Takes about a second. */
export async function makeApiKey(
  company: Company,
  { role, description }: NewApiKey,
  { clock, random }: { clock: Clock; random: Random },
): Promise<{ key: store.ApiKey; keyFile: KeyFile }> {
  const pair = await promisify(generateKeyPair)("rsa", {
    modulusLength,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs1", format: "pem" },
  });
  const id = random.uuid();
  const key: store.ApiKey = { id, role, publicKey: pair.publicKey, description, createdAt: clock.now() };
  const keyFile: KeyFile = {
    customerName: company.name,
    accessID: id,
    accessKey: pair.privateKey,
    adminRestApiUrl: `${new URL(company.publicUrl).origin}/AdminInterface/restapi/`,
    description,
  };
  return { key, keyFile };
}

/** Keeps the public half, with its record. Refuses with `too_many_api_keys`. */
export async function insertKey(
  trx: Connection,
  companyId: string,
  key: store.ApiKey,
  audit: AuditService,
  call: Call,
) {
  if (!(await store.insertApiKey(trx, companyId, key, maxApiKeys))) {
    throw new Refusal("too_many_api_keys", {
      answer: `A company has at most ${maxApiKeys} API keys: delete one first.`,
    });
  }
  await audit.record(trx, call, { action: "api_key.created", details: { keyId: key.id, role: key.role } });
}
