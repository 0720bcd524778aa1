/** A move between two data directories, in a process that ends as by `kill -9` once so many rows went by. */
import { copyInstallation } from "../backup/copy-service.ts";
import { systemClock } from "../platform/clock.ts";
import { openSqlite } from "../platform/database/sqlite.ts";
import { systemRandom } from "../platform/random.ts";
import type { Tables } from "../schema/tables.ts";

const [from = "", to = "", rows = ""] = process.argv.slice(2);
let left = Number(rows);
await copyInstallation(openSqlite<Tables>(from), openSqlite<Tables>(to), {
  clock: systemClock,
  random: systemRandom,
  names: { from: "here", to: "there" },
  onRows: (count) => {
    left -= count;
    if (left <= 0) process.kill(process.pid, "SIGKILL");
  },
});
