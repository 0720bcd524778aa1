#!/usr/bin/env node
/** The process, before anything of it is loaded. */
import { enableCompileCache } from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";

// Secrets and the database are for this user alone, and so is what is compiled for it.
process.umask(0o077);
// Most of a start is compiling the same sources again. The cache is this user's own: code that others could
// write to, as in a shared temporary folder, would be theirs to choose.
enableCompileCache(join(homedir(), ".cache", "sparekey"));

const { run } = await import("./commands/program.ts");
await run();
