/** TLS from certificate files, which also opens hosts beyond this machine. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { request } from "node:https";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { createInstallation, type Installation, type ServerProcess, startServer } from "./server-process.ts";

const [cert, key] = ["cert", "key"].map((name) =>
  fileURLToPath(new URL(`fixtures/throwaway-localhost.${name}.pem`, import.meta.url)),
) as [string, string];

let made: Installation;
let server: ServerProcess;
let certificate: string;
before(async () => {
  made = await createInstallation(["--public-url", "https://localhost:8443"]);
  certificate = readFileSync(cert, "utf8");
  server = await startServer(made.dataDir, { SPAREKEY_TLS_CERT_FILE: cert, SPAREKEY_TLS_KEY_FILE: key });
});
after(async () => {
  await server?.stop();
  made.remove();
});

test("a client that trusts the certificate is answered over TLS 1.2 or later", async () => {
  const { status, protocol } = await get(`${server.url}/readyz`, certificate);
  assert.equal(status, 200);
  assert.ok(["TLSv1.2", "TLSv1.3"].includes(protocol), protocol);
});

test("a client that does not trust it breaks off", async () => {
  await assert.rejects(get(`${server.url}/readyz`), { code: "DEPTH_ZERO_SELF_SIGNED_CERT" });
});

test("plain HTTP on the same port is answered by nobody", async () => {
  await assert.rejects(fetch(server.url.replace("https:", "http:")));
  assert.equal((await get(`${server.url}/healthz`, certificate)).status, 200);
});

function get(url: string, ca?: string): Promise<{ status: number; protocol: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { agent: false, ...(ca !== undefined && { ca }) }, (response) => {
      const protocol = (response.socket as import("node:tls").TLSSocket).getProtocol() ?? "";
      response.resume().on("end", () => resolve({ status: response.statusCode ?? 0, protocol }));
    });
    outgoing.on("error", reject).end();
  });
}
