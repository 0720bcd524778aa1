/** The service inside this process, on the database of real nodes: for controls, and for clocks that lie. */
import type { AddressInfo } from "node:net";
import { createApp, createServices } from "../../packages/server/src/app.ts";
import { findCompany } from "../../packages/server/src/installation/service.ts";
import { parseRootKey, type RootKey } from "../../packages/server/src/keyring/service.ts";
import { type Clock, systemClock } from "../../packages/server/src/platform/clock.ts";
import { openPostgres } from "../../packages/server/src/platform/database/postgres.ts";
import { createLog } from "../../packages/server/src/platform/log.ts";
import { systemRandom } from "../../packages/server/src/platform/random.ts";
import { Readiness } from "../../packages/server/src/platform/readiness.ts";
import type { Tables } from "../../packages/server/src/schema/tables.ts";
import { openKeyring } from "../../packages/server/src/testing/data-directory.ts";
import { type ApiCaller, createApiCaller } from "../api-caller.ts";
import type { Installation } from "../server-process.ts";
import type { FaultContext } from "./fault.ts";
import { keepAlive } from "./transport.ts";

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

/** A whole node, with its HTTP. */
export async function serveInProcess(
  context: FaultContext,
  url: string,
  installation: Installation,
  { clock, readiness = new Readiness() }: { clock: Clock; readiness?: Readiness },
): Promise<ApiCaller> {
  const parts = await openInProcess(context, url, installation, clock);
  const { http } = await createApp({ ...parts, readiness });
  await http.listen({ host: "127.0.0.1", port: 0 });
  context.after(() => http.close());
  const { port } = http.server.address() as AddressInfo;
  return createApiCaller(`http://127.0.0.1:${port}`, installation, keepAlive());
}
