/** `sparekey-server backup`: one consistent state in one file, beside a live server. */
import { FileExists, type MadeBackup, makeBackup } from "../backup/service.ts";
import type { Configuration } from "../config.ts";
import { systemClock } from "../platform/clock.ts";
import { version } from "../version.ts";
import { CommandError } from "./command-error.ts";
import { openDatabase, requireInstallation } from "./open-installation.ts";
import { showProgress } from "./progress.ts";

/** Also of a database that is older than this version: the time to back up is before an upgrade. */
export async function backup({ config, secrets }: Configuration, path: string | undefined): Promise<MadeBackup> {
  const db = openDatabase(config, secrets);
  const progress = showProgress("backing up");
  try {
    await requireInstallation(db, config);
    return await makeBackup(db, { clock: systemClock, version, path, onRows: progress.add });
  } catch (error) {
    throw explain(error);
  } finally {
    progress.end();
    await db.close();
  }
}

function explain(error: unknown): unknown {
  if (error instanceof FileExists) {
    return new CommandError(error.message, {
      hint: "a backup overwrites nothing: choose another --to, or remove that file if nobody needs it",
      exitCode: 2,
    });
  }
  const { code, path } = error as NodeJS.ErrnoException;
  if (path === undefined || !["ENOENT", "EACCES", "ENOTDIR", "EROFS", "EPERM"].includes(code ?? "")) return error;
  return new CommandError(`cannot write ${path} (${code})`, {
    hint: "name a file in a directory that you may write to, with --to",
    exitCode: 2,
    cause: error,
  });
}
