/**
 * Makes what is published, one package in each packages/X/dist: `npm run build`.
 *
 * Development needs no build. A registry does: Node strips no types below node_modules. The code lies
 * in dist/lib, as deep as in src, so a path like `../package.json` means the same in both.
 */
import { copyFileSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { packageFolders, root } from "./packages.ts";

/** Fields that serve only the source tree. */
const unpublished = ["private", "scripts", "devDependencies"];

interface Manifest {
  version: string;
  engines: { node: string };
  exports?: Record<string, string>;
  bin?: Record<string, string>;
  dependencies: Record<string, string>;
}

for (const folder of packageFolders) {
  const manifest: Manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const dist = join(folder, "dist");
  rmSync(dist, { recursive: true, force: true });
  compile(folder, manifest.engines.node);
  writeFileSync(join(dist, "package.json"), `${JSON.stringify(publishedManifest(manifest), null, 2)}\n`);
  copyFileSync(join(root, "LICENSE"), join(dist, "LICENSE"));
  copyFileSync(join(existsSync(join(folder, "README.md")) ? folder : root, "README.md"), join(dist, "README.md"));
  console.log(`built ${dist}`);
}

function compile(folder: string, engine: string) {
  // What must run on Node 20 is compiled against the library that Node 20 has.
  const compilerOptions = engine === ">=20" ? { target: "es2023", lib: ["es2023"] } : {};
  const config = ts.parseJsonConfigFileContent(
    { extends: "../../tsconfig.build.json", compilerOptions },
    ts.sys,
    folder,
  );
  const program = ts.createProgram(config.fileNames, config.options);
  const problems = [...config.errors, ...ts.getPreEmitDiagnostics(program), ...program.emit().diagnostics];
  if (problems.length === 0) return;
  const host = {
    getCurrentDirectory: () => root,
    getCanonicalFileName: (name: string) => name,
    getNewLine: () => "\n",
  };
  console.error(ts.formatDiagnostics(problems, host));
  process.exit(1);
}

function publishedManifest(manifest: Manifest) {
  const kept = Object.fromEntries(Object.entries(manifest).filter(([field]) => !unpublished.includes(field)));
  return {
    ...kept,
    files: ["lib"],
    ...(manifest.exports && {
      exports: mapValues(manifest.exports, (path) => ({ types: lib(path, "d.ts"), default: lib(path, "js") })),
    }),
    ...(manifest.bin && { bin: mapValues(manifest.bin, (path) => lib(path, "js")) }),
    dependencies: Object.fromEntries(
      Object.entries(manifest.dependencies).map(([name, range]) => [
        name,
        name.startsWith("@sparekey/") ? manifest.version : range,
      ]),
    ),
  };
}

/** `./src/x.ts` as it lies in dist. */
function lib(path: string, extension: string): string {
  return path.replace(/^\.\/src\/(.+)\.ts$/, `./lib/$1.${extension}`);
}

function mapValues<To>(record: Record<string, string>, change: (value: string) => To): Record<string, To> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
}
