/** What makes a database an installation: its company, its keys, its first settings and its first credentials. */
import type { KeyFile, Profile } from "@sparekey/contract";
import { insertKey, makeApiKey } from "../api-keys/service.ts";
import { AuditService } from "../audit/service.ts";
import { createAuthnKey } from "../authn-keys/service.ts";
import { createKeys, type RootKey } from "../keyring/service.ts";
import type { Clock } from "../platform/clock.ts";
import type { Database } from "../platform/database/database.ts";
import type { Random } from "../platform/random.ts";
import { commandCall } from "../principal.ts";
import { insertRevision } from "../revision/service.ts";
import type { Tables } from "../schema/tables.ts";
import { createSettings, settingsOf } from "../settings/service.ts";
import { type Company, insertCompany } from "./store.ts";

export { type Company, findCompany } from "./store.ts";

export interface InstallationRequest {
  companyName: string;
  publicUrl: string;
  profile: Profile;
}

/** The credentials that an installation begins with. They exist nowhere else. */
export interface FirstCredentials {
  keyFile: KeyFile;
  clientKey: string;
}

/** Makes the installation in one unit of work: all of it, or nothing. */
export async function createInstallation(
  db: Database<Tables>,
  rootKey: RootKey,
  { companyName, publicUrl, profile }: InstallationRequest,
  { clock, random }: { clock: Clock; random: Random },
): Promise<FirstCredentials> {
  const company: Company = { id: random.uuid(), name: companyName, publicUrl };
  const audit = new AuditService({ db, companyId: company.id, clock, random });
  const description = "First Super Administrator key";
  const { key, keyFile } = await makeApiKey(company, { role: "Super Administrator", description }, { clock, random });
  return db.write(async (trx) => {
    await insertCompany(trx, company, clock.now());
    await insertRevision(trx, company.id);
    await createKeys(trx, company.id, rootKey, { clock, random });
    await createSettings(trx, company.id, settingsOf(profile), clock);
    await audit.record(trx, commandCall, { action: "installation.initialized", details: { profile, publicUrl } });
    await insertKey(trx, company.id, key, audit, commandCall);
    const { clientKey } = await createAuthnKey(trx, company.id, "First key", commandCall, { clock, random, audit });
    return { keyFile, clientKey };
  });
}
