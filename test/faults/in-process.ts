/** The service inside this process, on the database of real nodes: for controls, and for clocks that lie. */
import { createServices } from "../../packages/server/src/app.ts";
import { findCompany } from "../../packages/server/src/installation/service.ts";
import { parseRootKey, type RootKey } from "../../packages/server/src/keyring/service.ts";
import { type Clock, systemClock } from "../../packages/server/src/platform/clock.ts";
import { openPostgres } from "../../packages/server/src/platform/database/postgres.ts";
import { createLog } from "../../packages/server/src/platform/log.ts";
import { systemRandom } from "../../packages/server/src/platform/random.ts";
import type { Tables } from "../../packages/server/src/schema/tables.ts";
import { openKeyring } from "../../packages/server/src/testing/data-directory.ts";
import type { Installation } from "../server-process.ts";
import type { FaultContext } from "./fault.ts";

export async function openInProcess(
  context: FaultContext,
  url: string,
  { rootKey: rootKeyText }: Installation,
  clock: Clock = systemClock,
) {
  const db = openPostgres<Tables>(url);
  context.after(() => db.close());
  const company = await findCompany(db.read);
  if (company === undefined) throw new Error("there is no installation in the database");
  const rootKey = parseRootKey(rootKeyText) as RootKey;
  const { revision, keyring } = await openKeyring({ db, company, rootKey, clock });
  const parts = { db, company, revision, keyring, clock, random: systemRandom, log: createLog("silent") };
  return { ...parts, rootKey, ...createServices(parts) };
}
