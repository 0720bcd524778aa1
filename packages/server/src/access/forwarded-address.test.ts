import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { createApp } from "../app.ts";
import type { Wire } from "../platform/http/wire.ts";
import { createLog } from "../platform/log.ts";
import { systemRandom } from "../platform/random.ts";
import { openKeyring } from "../testing/data-directory.ts";
import { startInstallation, type TestInstallation } from "../testing/installation.ts";

const proxy = "192.0.2.10";

describe("a forwarded address", () => {
  let sparekey: TestInstallation;
  before(async () => {
    sparekey = await startInstallation();
    await sparekey.changeSettings(({ rateLimits }) => {
      rateLimits.refusedPerMinute = 10;
    });
  });
  after(() => sparekey.close());

  async function appBehind(trustedProxies: string[]): Promise<Wire> {
    const { db, company, clock, rootKey } = sparekey;
    const node = await openKeyring({ db, company, rootKey, clock });
    const log = createLog("silent");
    return (await createApp({ db, company, ...node, clock, random: systemRandom, log, trustedProxies })).http;
  }

  /** A hundred wrong tokens by way of one machine, each said to come from another address; answers the statuses. */
  async function statusesOf(app: Wire, remoteAddress: string) {
    const statuses: Record<number, number> = {};
    for (let last = 1; last <= 100; last += 1) {
      const address = `198.51.100.${last}`;
      const headers = {
        authorization: "Bearer x",
        "x-forwarded-for": address,
        forwarded: `for=${address}`,
        "x-real-ip": address,
      };
      const { statusCode } = await app.inject({ url: "/api/v1/settings", remoteAddress, headers });
      statuses[statusCode] = (statuses[statusCode] ?? 0) + 1;
    }
    return statuses;
  }
  const lastAddress = async () =>
    (await sparekey.admin("GET", "/api/v1/audit/events?action=principal.refused&last=1")).body.events[0].personal
      .address;

  it("is not believed: nobody dodges the limit, and the record names who called", async () => {
    const app = await appBehind([]);
    assert.deepEqual(await statusesOf(app, proxy), { 403: 10, 429: 90 });
    assert.equal(await lastAddress(), proxy);
    await app.close();
  });

  it("is not believed from a machine that is not the named proxy", async () => {
    const app = await appBehind([proxy]);
    assert.deepEqual(await statusesOf(app, "192.0.2.11"), { 403: 10, 429: 90 });
    assert.equal(await lastAddress(), "192.0.2.11");
    await app.close();
  });

  it("is believed from the proxy that was named: the control", async () => {
    const app = await appBehind([proxy]);
    assert.deepEqual(await statusesOf(app, proxy), { 403: 100 });
    assert.equal(await lastAddress(), "198.51.100.100");
    await app.close();
  });

  it("does not open the metrics to one who says to be this machine", async () => {
    const app = await appBehind([]);
    const read = (remoteAddress: string) =>
      app.inject({ url: "/metrics", remoteAddress, headers: { "x-forwarded-for": "127.0.0.1" } });
    assert.equal((await read("192.0.2.12")).statusCode, 403);
    assert.equal((await read("127.0.0.1")).statusCode, 200);
    await app.close();
  });
});
