/** Loaded into every server of the bench: it ends with the bench, however that ends, as its standard input does. */
process.stdin.on("end", () => process.kill(process.pid, "SIGTERM")).on("error", () => {});
process.stdin.resume();
// A server that is told to stop must not be kept by it.
(process.stdin as { unref?(): void }).unref?.();
