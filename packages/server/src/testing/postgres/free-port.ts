import { createServer } from "node:net";

/**
 * A port that nobody listens on, below those that the system hands out: one of those could go to some outgoing
 * connection while a server is down for a restart.
 */
export async function findFreePort(): Promise<number> {
  for (let attempts = 0; attempts < 100; attempts += 1) {
    const port = 10_240 + Math.floor(Math.random() * 20_000);
    if (await isFree(port)) return port;
  }
  throw new Error("found no free port");
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.on("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
