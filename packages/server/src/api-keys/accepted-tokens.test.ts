import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, it } from "node:test";
import { createTestClock } from "../testing/clock.ts";
import { startInstallation, type TestInstallation } from "../testing/installation.ts";
import { jws, rsa } from "../testing/jws.ts";
import { exchange, requestText } from "../testing/raw-http.ts";
import { createTokenKit, type TokenKit } from "../testing/token-kit.ts";

const origin = "http://localhost:8080";
const base = `${origin}/AdminInterface/restapi`;

interface AcceptedToken {
  name: string;
  token(kit: TokenKit): string;
}

const audiences = [origin, `${origin}/`, base, `${base}/`, `${base}/v1`, `${base}/v1/`];
const withHeader = (name: string, header: object): AcceptedToken => ({ name, token: (kit) => kit.signed({}, header) });

const accepted: AcceptedToken[] = [
  ...audiences.map((aud) => ({ name: `aud ${aud}`, token: (kit: TokenKit) => kit.signed({ aud }) })),
  { name: "whole seconds", token: ({ signed, now }) => signed({ iat: now, exp: now + 300 }) },
  { name: "fractions of seconds", token: ({ signed, now }) => signed({ iat: now - 0.75, exp: now + 300.25 }) },
  { name: "seconds as digits", token: ({ signed, now }) => signed({ iat: `${now}`, exp: `${now + 300}` }) },
  { name: "digits beside a fraction", token: ({ signed, now }) => signed({ iat: `${now}`, exp: now + 300.25 }) },
  { name: "an hour to live", token: ({ signed, now }) => signed({ iat: now, exp: now + 3_600 }) },
  { name: "no typ", token: ({ claims, key }) => jws({ alg: "RS256" }, claims, rsa(key)) },
  withHeader("typ in small letters", { typ: "jwt" }),
  withHeader("a kid of no key", { kid: "../../etc/passwd" }),
  withHeader("a kid that is no text", { kid: { id: 1 } }),
  withHeader("header parameters of other kinds", { cty: "JWT", x5t: "AAAA", "x-strange": [1] }),
  {
    name: "claims that nobody asked for",
    token: ({ signed }) => signed({ iss: "me", jti: "1", nbf: "never", scope: "all", nonce: null, azp: ["x"] }),
  },
  { name: "header and payload with line ends", token: pretty },
];

function pretty({ claims, key }: TokenKit): string {
  return jws('{\r\n  "alg" : "RS256"\r\n}\n', JSON.stringify(claims, null, 2), rsa(key));
}

describe("a legacy token as clients in the field make it", () => {
  let sparekey: TestInstallation;
  let kit: TokenKit;
  before(async () => {
    sparekey = await startInstallation();
    await sparekey.createUser("jane.doe");
    kit = createTokenKit(sparekey);
  });
  after(() => sparekey.close());

  const lookup = (authorization: string) =>
    sparekey.call("POST", "/AdminInterface/restapi/v1/users/lookup", {
      body: { username: "jane.doe" },
      headers: { authorization },
    });

  for (const { name, token } of accepted) {
    it(`200 for ${name}`, async () => {
      assert.equal((await lookup(`Bearer ${token(kit)}`)).status, 200);
    });
  }

  it("200 however the scheme is spelt", async () => {
    for (const scheme of ["Bearer ", "bearer ", "BEARER ", "Bearer   "]) {
      assert.equal((await lookup(scheme + kit.signed())).status, 200, scheme);
    }
  });

  it("200 for the same token again and again, until it ends", async () => {
    const token = kit.signed();
    for (let use = 0; use < 5; use += 1) assert.equal((await lookup(`Bearer ${token}`)).status, 200);
  });

  it("a key that the token's header points at is neither fetched nor believed", async () => {
    const requests: string[] = [];
    const elsewhere = createServer((request, response) => {
      requests.push(`${request.url}`);
      response.end(JSON.stringify({ keys: [kit.publicKey.export({ format: "jwk" })] }));
    });
    await new Promise<void>((resolve) => elsewhere.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}`;
    const jwk = kit.publicKey.export({ format: "jwk" });
    const header = { jku: `${url}/jku`, x5u: `${url}/x5u`, jwk, kid: `${url}/kid` };
    try {
      // The control: the server there does answer whoever asks it.
      await fetch(`${url}/control`);
      assert.equal((await lookup(`Bearer ${kit.signed({}, header)}`)).status, 200);
      const forged = jws({ alg: "RS256", ...header }, kit.claims, rsa(kit.strangerKey));
      assert.equal((await lookup(`Bearer ${forged}`)).status, 403);
      assert.deepEqual(requests, ["/control"]);
    } finally {
      elsewhere.closeAllConnections();
      elsewhere.close();
    }
  });

  it("200 for a GET with a strange content type", async () => {
    const authorization = `authorization: Bearer ${kit.signed()}`;
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "application/json", "nonsense", ";"]) {
      const headers = [authorization, `content-type: ${type}`];
      const answer = await exchange(sparekey, requestText("GET", "/api/v1/settings", { headers }));
      assert.equal(answer.status, 200, type);
    }
  });

  it("the token is read before the body: a POST with Content-Length 0 is refused for what it lacks, not for its token", async () => {
    const path = "/AdminInterface/restapi/v1/users/lookup";
    const headers = ["content-length: 0", `authorization: Bearer ${kit.signed()}`];
    assert.equal((await exchange(sparekey, requestText("POST", path, { headers }))).status, 400);
    const typed = [...headers, "content-type: application/json"];
    assert.equal((await exchange(sparekey, requestText("POST", path, { headers: typed }))).status, 400);
    assert.equal((await exchange(sparekey, requestText("POST", path, { headers: ["content-length: 0"] }))).status, 403);
  });

  it("200 for a DELETE with Content-Length 0, with and without a content type", async () => {
    const { id } = await sparekey.createUser("john.doe");
    const headers = ["content-length: 0", `authorization: Bearer ${kit.signed()}`];
    const path = `/AdminInterface/restapi/v1/users/${id}/emergencyTokencodes`;
    for (const more of [[], ["content-type: application/json"], ["content-type: text/xml"]]) {
      const request = requestText("DELETE", path, { headers: [...headers, ...more] });
      assert.equal((await exchange(sparekey, request)).status, 200);
    }
  });
});

describe("the two clocks", () => {
  const lifetimeMs = 600_000;
  const skewMs = 60_000;

  it("may differ by 60 seconds either way, and by no more", async () => {
    const clock = createTestClock();
    const sparekey = await startInstallation({ clock });
    try {
      const authorization = `Bearer ${createTokenKit(sparekey).signed()}`;
      const statusAt = async (offsetMs: number) => {
        clock.advance(offsetMs);
        const { status } = await sparekey.call("GET", "/api/v1/settings", { headers: { authorization } });
        clock.advance(-offsetMs);
        return status;
      };
      assert.equal(await statusAt(-skewMs - 1), 403);
      assert.equal(await statusAt(-skewMs), 200);
      assert.equal(await statusAt(0), 200);
      assert.equal(await statusAt(lifetimeMs + skewMs - 1), 200);
      assert.equal(await statusAt(lifetimeMs + skewMs), 403);
      // Back in its time it is accepted again: nothing but the clock decides.
      assert.equal(await statusAt(0), 200);
    } finally {
      await sparekey.close();
    }
  });
});
