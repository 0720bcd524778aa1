/** TLS from certificate files, which also opens hosts beyond this machine. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createInstallation, type Installation, type ServerProcess, startServer } from "./server-process.ts";

let made: Installation;
let server: ServerProcess;
let certificate: string;
before(async () => {
  made = await createInstallation(["--public-url", "https://localhost:8443"]);
  const [cert, key] = ["cert.pem", "tls.key"].map((name) => join(made.dataDir, name)) as [string, string];
  makeCertificate(cert, key);
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

/** A throwaway one for `localhost`, for a day. */
function makeCertificate(cert: string, key: string) {
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
  const kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1"];
  const { status, stderr } = spawnSync("openssl", ["req", ...kind, ...subject, "-keyout", key, "-out", cert]);
  assert.equal(status, 0, `this test needs the openssl program: ${stderr}`);
}

function get(url: string, ca?: string): Promise<{ status: number; protocol: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { agent: false, ...(ca !== undefined && { ca }) }, (response) => {
      const protocol = (response.socket as import("node:tls").TLSSocket).getProtocol() ?? "";
      response.resume().on("end", () => resolve({ status: response.statusCode ?? 0, protocol }));
    });
    outgoing.on("error", reject).end();
  });
}
