import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import type { Settings } from "@sparekey/contract";
import { assertErrorShape } from "../testing/error-shape.ts";
import { type Answer, startInstallation, type TestInstallation } from "../testing/installation.ts";
import { changesNothing } from "../testing/state.ts";

const path = "/api/v1/settings";

describe("the settings", () => {
  let sparekey: TestInstallation;
  let settings: Settings;
  let etag: string;
  before(async () => {
    sparekey = await startInstallation();
  });
  after(() => sparekey.close());
  beforeEach(async () => {
    const { headers, body } = await sparekey.admin("GET", path);
    settings = body;
    etag = headers.get("etag") ?? "";
  });

  async function put(body: unknown, ifMatch: string | undefined = etag): Promise<Answer> {
    const authorization = `Bearer ${await sparekey.token()}`;
    const headers = { authorization, ...(ifMatch !== "" && { "if-match": ifMatch }) };
    return sparekey.call("PUT", path, { body, headers });
  }

  function assertProblem(answer: Answer, status: number, code: string) {
    assert.deepEqual([answer.status, answer.body.code], [status, code], JSON.stringify(answer.body));
    assertErrorShape(path, answer);
  }

  it("200 with all of them and their version", () => {
    assert.deepEqual(settings, {
      onlineEmergencyCode: { expiryUnit: "days", expiryValue: 1, oneTimeUse: false, locked: false },
      codeFormat: { alphabet: "symbols", length: 10 },
      lockout: { tries: 10, lockMinutes: 30 },
      attemptTries: 3,
      answerTimeMs: 50,
      protectedGroups: [],
      rateLimits: { administrationPerMinute: 1_200, authenticationPerMinute: 12_000, refusedPerMinute: 300 },
    });
    assert.match(etag, /^"\d+"$/);
  });

  it("200 for a change from the version that was read, which hands out the next one", async () => {
    const changed = { ...settings, protectedGroups: ["Board"], codeFormat: { alphabet: "digits", length: 8 } };
    const answer = await put(changed);
    assert.equal(answer.status, 200);
    assert.deepEqual(answer.body, changed);
    assert.notEqual(answer.headers.get("etag"), etag);
    const read = await sparekey.admin("GET", path);
    assert.deepEqual([read.body, read.headers.get("etag")], [changed, answer.headers.get("etag")]);
    const { id } = await sparekey.createUser("jane.doe");
    assert.match((await sparekey.issue(id)).replaceAll("-", ""), /^\d{8}$/);
    const { body } = await sparekey.admin("GET", "/api/v1/audit/events?action=settings.changed&last=1");
    const [{ details }] = body.events;
    assert.deepEqual([JSON.parse(details.from), JSON.parse(details.to)], [settings, changed]);
    assert.equal(`"${details.settingsVersion}"`, answer.headers.get("etag"));
  });

  it("428 without If-Match: nobody overwrites what they have not read", async () => {
    assertProblem(
      await changesNothing(sparekey, () => put({ ...settings, attemptTries: 5 }, "")),
      428,
      "precondition_required",
    );
  });

  it("412 for another version, and for what is no version of ours", async () => {
    const version = Number(etag.slice(1, -1));
    const others = [
      `"${version + 1}"`,
      `"${version - 1}"`,
      `W/${etag}`,
      `${version}`,
      "*",
      '"x"',
      '""',
      `${etag}, "0"`,
      `"${version}.0"`,
    ];
    for (const other of others) {
      const answer = await changesNothing(sparekey, () => put({ ...settings, attemptTries: 5 }, other));
      assertProblem(answer, 412, "settings_changed");
    }
    assert.equal((await put(settings)).status, 200);
    assertProblem(await changesNothing(sparekey, () => put(settings)), 412, "settings_changed");
  });

  it("412 for all but one of sixteen changes from the same version", async () => {
    const answers = await Promise.all(
      Array.from({ length: 16 }, (_, change) => put({ ...settings, lockout: { tries: 10, lockMinutes: 30 + change } })),
    );
    const winners = answers.filter(({ status }) => status === 200);
    assert.equal(winners.length, 1);
    assert.equal(answers.filter(({ status }) => status === 412).length, 15);
    assert.deepEqual((await sparekey.admin("GET", path)).body, winners[0]?.body);
  });

  it("400 for a value that is out of its range, of another type, missing or unknown", async () => {
    const { onlineEmergencyCode, lockout } = settings;
    const online = (change: object) => ({ ...settings, onlineEmergencyCode: { ...onlineEmergencyCode, ...change } });
    const bodies: unknown[] = [
      {},
      [],
      { ...settings, extra: 1 },
      { ...settings, attemptTries: undefined },
      ...[0, 11, 1.5, "3", null].map((attemptTries) => ({ ...settings, attemptTries })),
      ...[-1, 1_001, "50", null].map((answerTimeMs) => ({ ...settings, answerTimeMs })),
      ...[0, 101, "10", null].map((tries) => ({ ...settings, lockout: { ...lockout, tries } })),
      ...[0, 10_081, "30"].map((lockMinutes) => ({ ...settings, lockout: { ...lockout, lockMinutes } })),
      { ...settings, lockout: { tries: 10 } },
      { ...settings, lockout: { ...lockout, off: true } },
      ...["Board", [""], [1], ["a", "a"], ["x".repeat(201)], null].map((protectedGroups) => ({
        ...settings,
        protectedGroups,
      })),
      ...[
        { alphabet: "digits", length: 6 },
        { alphabet: "digits", length: 11 },
        { alphabet: "symbols", length: 8 },
        { alphabet: "symbols", length: 12 },
        { alphabet: "letters", length: 10 },
        { alphabet: "symbols" },
        null,
      ].map((codeFormat) => ({ ...settings, codeFormat })),
      ...["weeks", "", null].map((expiryUnit) => online({ expiryUnit })),
      ...[0, -1, 1.5, "1", null].map((expiryValue) => online({ expiryValue })),
      ...["true", 1, null].map((locked) => online({ locked })),
      online({ expiryUnit: "days", expiryValue: 8 }),
      online({ expiryUnit: "hours", expiryValue: 169 }),
      online({ expiryUnit: "minutes", expiryValue: 10_081 }),
    ];
    for (const body of bodies) {
      const answer = await changesNothing(sparekey, () => put(body));
      assert.equal(answer.status, 400, JSON.stringify(body));
      assertErrorShape(path, answer);
    }
  });
});

describe("settings lint", () => {
  /** Each profile, and the clauses that its settings break as they come. */
  const findings = {
    vendor: [
      "NIST SP 800-63B-4 3.1.2.2 onlineEmergencyCode.oneTimeUse",
      "NIST SP 800-63B-4 4.2.1.2 onlineEmergencyCode.expiryValue",
      "NIST SP 800-63B-4 4.2.1.2 onlineEmergencyCode.locked",
      "PCI DSS 4.0.1 8.5.1 onlineEmergencyCode.oneTimeUse",
      "OWASP ASVS 5.0 6.5.1 onlineEmergencyCode.oneTimeUse",
    ],
    nist: [],
    pci: [
      "NIST SP 800-63B-4 4.2.1.2 onlineEmergencyCode.expiryValue",
      "NIST SP 800-63B-4 4.2.1.2 onlineEmergencyCode.locked",
    ],
  };

  for (const [profile, expected] of Object.entries(findings)) {
    it(`200 with what the profile ${profile} breaks`, async () => {
      const sparekey = await startInstallation({ profile: profile as keyof typeof findings });
      const { status, body } = await sparekey.admin("GET", "/api/v1/settings/lint");
      assert.equal(status, 200);
      const found = body.findings.map((one: Record<string, string>) => `${one.standard} ${one.clause} ${one.setting}`);
      assert.deepEqual(found, expected);
      for (const { message, remedy } of body.findings) assert.ok(message !== "" && remedy.includes("="));
      await sparekey.close();
    });
  }

  it("200 tells of a lockout that was loosened and an answer that was hastened", async () => {
    const sparekey = await startInstallation({ profile: "nist" });
    await sparekey.changeSettings((settings) => {
      settings.lockout = { tries: 11, lockMinutes: 29 };
      settings.answerTimeMs = 0;
    });
    const { body } = await sparekey.admin("GET", "/api/v1/settings/lint");
    const found = body.findings.map(({ clause, setting }: Record<string, string>) => `${clause} ${setting}`);
    assert.deepEqual(found, ["8.3.4 lockout.tries", "8.3.4 lockout.lockMinutes", "6.3.8 answerTimeMs"]);
    assert.equal(`"${body.version}"`, (await sparekey.admin("GET", "/api/v1/settings")).headers.get("etag"));
    await sparekey.close();
  });
});
