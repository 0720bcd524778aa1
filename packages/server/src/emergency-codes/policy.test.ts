import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Lifetime, Settings } from "@sparekey/contract";
import { instantFromMs } from "../platform/clock.ts";
import { settingsOf } from "../settings/service.ts";
import { expiryOf, resolvePolicy } from "./policy.ts";

const open = settingsOf("vendor");
const locked: Settings = {
  ...open,
  onlineEmergencyCode: { expiryUnit: "minutes", expiryValue: 10, oneTimeUse: true, locked: true },
};

describe("what holds for a new code", () => {
  it("is what the request asked for", () => {
    assert.deepEqual(resolvePolicy({ lifetime: { value: 7, unit: "days" }, oneTime: true }, open), {
      lifetime: { value: 7, unit: "days", source: "asked" },
      oneTime: { value: true, source: "asked" },
      locked: false,
    });
  });

  it("is the company's where the request asks for nothing, value by value", () => {
    assert.deepEqual(resolvePolicy({}, open), {
      lifetime: { value: 1, unit: "days", source: "default" },
      oneTime: { value: false, source: "default" },
      locked: false,
    });
    assert.deepEqual(resolvePolicy({ oneTime: false }, settingsOf("pci")).oneTime, { value: false, source: "asked" });
    assert.deepEqual(resolvePolicy({ oneTime: false }, settingsOf("pci")).lifetime.source, "default");
  });

  it("is the company's whatever the request asks for, while the company's configuration is locked", () => {
    const company = {
      lifetime: { value: 10, unit: "minutes", source: "lock" },
      oneTime: { value: true, source: "lock" },
      locked: true,
    };
    assert.deepEqual(resolvePolicy({ lifetime: { value: 7, unit: "days" }, oneTime: false }, locked), company);
    assert.deepEqual(resolvePolicy({}, locked), company);
  });

  it("refuses a lifetime below 1 minute or over 7 days, also while the lock overrides it", () => {
    const wrong: Lifetime[] = [
      { value: 0, unit: "minutes" },
      { value: -1, unit: "days" },
      { value: 8, unit: "days" },
      { value: 169, unit: "hours" },
      { value: 10_081, unit: "minutes" },
      { value: 0.5, unit: "minutes" },
      { value: Number.NaN, unit: "hours" },
    ];
    for (const settings of [open, locked]) {
      for (const lifetime of wrong) {
        assert.throws(
          () => resolvePolicy({ lifetime }, settings),
          { code: "invalid_expiration" },
          JSON.stringify(lifetime),
        );
      }
    }
  });

  it("takes both ends of what is allowed", () => {
    const right: Lifetime[] = [
      { value: 1, unit: "minutes" },
      { value: 10_080, unit: "minutes" },
      { value: 168, unit: "hours" },
      { value: 7, unit: "days" },
    ];
    for (const lifetime of right) assert.equal(resolvePolicy({ lifetime }, open).lifetime.value, lifetime.value);
  });

  it("ends to the millisecond after it was issued", () => {
    const issuedAt = instantFromMs(Date.UTC(2026, 1, 27, 23, 59, 59, 999));
    assert.equal(expiryOf({ value: 1, unit: "minutes" }, issuedAt), "2026-02-28T00:00:59.999Z");
    assert.equal(expiryOf({ value: 2, unit: "days" }, issuedAt), "2026-03-01T23:59:59.999Z");
  });
});
