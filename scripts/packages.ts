import { join } from "node:path";

export const root = join(import.meta.dirname, "..");

/** The published packages' folders, each after those that it depends on. */
export const packageFolders = ["contract", "sdk", "cli", "server"].map((name) => join(root, "packages", name));
