import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { sql } from "kysely";
import type { NoteTables } from "../../testing/note-database.ts";
import { type PostgresServer, startPostgres } from "../../testing/postgres/server.ts";
import { DatabaseUnavailable } from "./database.ts";
import { openPostgres } from "./postgres.ts";

describe("TLS to PostgreSQL", { timeout: 120_000 }, () => {
  let server: PostgresServer;
  before(async () => {
    server = await startPostgres({ tls: true });
  });
  after(() => server?.stop());

  /** Whether a connection by this URL is encrypted, or why there is none. */
  async function connect(change: (url: URL) => void): Promise<unknown> {
    const url = new URL(server.superuserUrl);
    change(url);
    const db = openPostgres<NoteTables>(url.href);
    try {
      const own = sql<{ ssl: boolean }>`SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()`;
      return (await own.execute(db.read)).rows[0]?.ssl;
    } catch (error) {
      return error;
    } finally {
      await db.close();
    }
  }

  it("is used with an authority of one's own, as the URL says", async () => {
    assert.equal(await connect(() => undefined), true);
  });

  it("refuses a server whose certificate nobody vouches for, or that has another name", async () => {
    for (const change of [
      (url: URL) => url.searchParams.delete("sslrootcert"),
      (url: URL) => {
        url.hostname = "127.0.0.1";
      },
    ]) {
      assert.ok((await connect(change)) instanceof DatabaseUnavailable);
    }
  });

  it("is not done without where the server demands it", async () => {
    const error = await connect((url) => {
      url.search = "?sslmode=disable";
    });
    assert.ok(error instanceof DatabaseUnavailable, String(error));
  });
});
