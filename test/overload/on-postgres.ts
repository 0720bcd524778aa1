/** An installation on PostgreSQL for real processes: its own database, reached directly or by another way. */
import { testPostgres } from "../../packages/server/src/testing/postgres/shared.ts";
import { createInstallation, type Environment, type Installation } from "../server-process.ts";

export interface InstallationOnPostgres extends Installation {
  /** The URL of the role that serves. */
  url: string;
  superuserUrl: string;
  /** What `serve` needs to find its database by this URL. */
  env(url?: string): Environment;
  drop(): Promise<void>;
}

export async function createOnPostgres(): Promise<InstallationOnPostgres> {
  const database = await (await testPostgres()).createDatabase();
  const { appUrl, ownerUrl, superuserUrl } = database;
  const made = await createInstallation([], {
    SPAREKEY_DATABASE_URL: appUrl,
    SPAREKEY_DATABASE_OWNER_URL: ownerUrl,
  });
  return {
    ...made,
    url: appUrl,
    superuserUrl,
    env: (url = appUrl) => ({ SPAREKEY_DATABASE_URL: url }),
    drop: async () => {
      made.remove();
      await database.drop();
    },
  };
}
