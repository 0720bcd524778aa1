/**
 * Adds the optional packages of other platforms that `npm install` left out of package-lock.json.
 *
 * A registry mirror that carries only one platform's binaries makes npm drop the others from the
 * lock, and `npm ci` then refuses that lock as out of step. An entry with version, os and cpu is
 * what npm itself writes elsewhere: it installs the package where it fits and skips it here.
 *
 * Run it after every `npm install` that changed the lock: `npm run lockfile`.
 */
import { readFileSync, writeFileSync } from "node:fs";

const path = new URL("../package-lock.json", import.meta.url);
const lock = JSON.parse(readFileSync(path, "utf8"));
const systems = ["android", "darwin", "freebsd", "linux", "openharmony", "win32", "wasm32"];
const processors = ["arm64", "arm", "ia32", "loong64", "mips64el", "ppc64", "riscv64", "s390x", "x64"];
let added = 0;

for (const owner of Object.values(lock.packages)) {
  for (const [name, version] of Object.entries(owner.optionalDependencies ?? {})) {
    const place = `node_modules/${name}`;
    const platform = systems.find((system) => name.includes(system));
    if (lock.packages[place] || platform === undefined) continue;
    if (/[^\d.]/.test(version)) throw new Error(`${name}: expected an exact version, found ${version}`);
    const cpu = platform === "wasm32" ? "wasm32" : processors.find((it) => name.includes(`-${it}`));
    lock.packages[place] = {
      version,
      ...(cpu && { cpu: [cpu] }),
      ...(owner.dev && { dev: true }),
      optional: true,
      ...(platform !== "wasm32" && { os: [platform] }),
    };
    added += 1;
  }
}

lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`package-lock.json: ${added} optional packages of other platforms added`);
