/** Everything that must hold before a change lands, in the order of what fails fastest: `npm run check`. */
import { spawnSync } from "node:child_process";

/** Scripts of package.json. `lint` covers format, names, and sizes of files and functions. */
const steps = ["lint", "types", "boundaries", "deadcode", "test"];

for (const step of steps) {
  console.log(`\n── ${step}`);
  const start = performance.now();
  const { status } = spawnSync("npm", ["run", "--silent", step], {
    stdio: "inherit",
    shell: process.platform === "win32",
  });
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  if (status !== 0) {
    console.error(`\ncheck failed: npm run ${step} (${seconds} s)`);
    process.exit(1);
  }
  console.log(`── ${step}: ok (${seconds} s)`);
}
