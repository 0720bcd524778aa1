import type { Migrations } from "../platform/database/migrate.ts";
import * as firstRelease from "./0001-first-release.ts";
import * as manyNodes from "./0002-many-nodes.ts";

/** Every migration by name, in order. Add a line here for each new file beside it. */
export const migrations: Migrations = {
  "0001-first-release": firstRelease,
  "0002-many-nodes": manyNodes,
};
