/** `sparekey-server keys`: API keys and Authentication API keys, beside a live server. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Role } from "@sparekey/contract";
import { ApiKeysService } from "../api-keys/service.ts";
import { AuditService } from "../audit/service.ts";
import { AuthnKeysService } from "../authn-keys/service.ts";
import type { Configuration } from "../config.ts";
import { systemClock } from "../platform/clock.ts";
import { systemRandom } from "../platform/random.ts";
import { Refusal } from "../platform/refusal.ts";
import { commandCall } from "../principal.ts";
import { RevisionService } from "../revision/service.ts";
import { CommandError } from "./command-error.ts";
import { getCompany, openDatabase } from "./open-installation.ts";

/** One key, as `keys list` shows it. */
export interface ListedKey {
  id: string;
  kind: "api" | "authn";
  role: Role | null;
  name: string;
  createdAt: string;
}

/** Makes an API key and writes its key file; answers the path. */
export async function createApiKey(
  configuration: Configuration,
  role: Role,
  description: string,
): Promise<{ id: string; file: string }> {
  return withKeys(configuration, async ({ apiKeys }) => {
    const keyFile = await apiKeys.create(commandCall, { role, description });
    const file = join(configuration.config.dataDir, `${keyFile.accessID}.key`);
    writeFileSync(file, `${JSON.stringify(keyFile, null, 2)}\n`, { mode: 0o600, flag: "wx" });
    return { id: keyFile.accessID, file };
  });
}

/** Makes an Authentication API key and writes it to a file; answers the path. */
export async function createAuthnKey(
  configuration: Configuration,
  name: string,
): Promise<{ id: string; file: string }> {
  return withKeys(configuration, async ({ authnKeys }) => {
    const { id, clientKey } = await authnKeys.create(commandCall, name);
    const file = join(configuration.config.dataDir, `authn-api-${id}.key`);
    writeFileSync(file, `${clientKey}\n`, { mode: 0o600, flag: "wx" });
    return { id, file };
  });
}

export async function listKeys(configuration: Configuration): Promise<ListedKey[]> {
  return withKeys(configuration, async ({ apiKeys, authnKeys }) => [
    ...(await apiKeys.list()).map(({ id, role, description, createdAt }) => ({
      ...{ id, role, createdAt },
      kind: "api" as const,
      name: description,
    })),
    ...(await authnKeys.list()).map((key) => ({ ...key, kind: "authn" as const, role: null })),
  ]);
}

/** Deletes a key of either kind. What it signed or opened is refused from then on. */
export async function deleteKey(configuration: Configuration, id: string): Promise<void> {
  await withKeys(configuration, async ({ apiKeys, authnKeys }) => {
    try {
      await apiKeys.delete(commandCall, id);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      await authnKeys.delete(commandCall, id);
    }
  });
}

async function withKeys<Result>(
  { config, secrets }: Configuration,
  work: (keys: ReturnType<typeof keysOf>) => Promise<Result>,
): Promise<Result> {
  const db = openDatabase(config, secrets);
  try {
    return await work(keysOf(db, await getCompany(db, config)));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw new CommandError(error.message, {
      hint: "see what there is with: sparekey-server keys list",
      exitCode: 2,
      cause: error,
    });
  } finally {
    await db.close();
  }
}

function keysOf(db: ReturnType<typeof openDatabase>, company: Awaited<ReturnType<typeof getCompany>>) {
  const parts = { db, companyId: company.id, clock: systemClock, random: systemRandom };
  const audit = new AuditService(parts);
  // A server may be running beside this command.
  const revision = new RevisionService({ ...parts, others: true });
  return {
    apiKeys: new ApiKeysService({ ...parts, company, audit, revision }),
    authnKeys: new AuthnKeysService({ ...parts, audit, revision }),
  };
}
