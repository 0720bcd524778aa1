import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { startInstallation, type TestInstallation } from "../testing/installation.ts";

/** The ways in which one code may be typed. */
function spellingsOf(code: string): string[] {
  const plain = code.replaceAll("-", "");
  const wide = [...plain].map((symbol) => String.fromCodePoint((symbol.codePointAt(0) as number) + 0xfee0)).join("");
  return [
    ...[code, plain, code.toLowerCase(), ` ${code} `, [...plain].join(" "), code.replaceAll("-", "\u2013"), wide],
    ...[plain.replaceAll("1", "I"), plain.replaceAll("1", "l"), plain.replaceAll("0", "o"), `\t${plain}\u00a0`],
  ];
}

const names = [
  ...["jane.doe", "JANE.DOE", " jane.doe ", "ｊａｎｅ.doe", "jane.doe@example.com", "Jane.Doe@Example.COM"],
  ...["j.dœ", "J.DŒ", "jane.doe\u3000", "ＪＡＮＥ．ＤＯＥ＠ＥＸＡＭＰＬＥ．ＣＯＭ"],
];

describe("spellings", () => {
  let sparekey: TestInstallation;
  let userId: string;
  before(async () => {
    sparekey = await startInstallation();
    userId = (await sparekey.createUser("jane.doe", { alternateUsername: "j.dœ" })).id;
  });
  after(() => sparekey.close());

  const failures = async () => (await sparekey.admin("GET", `/api/v1/users/${userId}/emergency-access`)).body.failures;

  it("of one code are one code: each of them is accepted, and none of a consumed one", async () => {
    const reusable = await sparekey.issue(userId);
    for (const spelling of spellingsOf(reusable))
      assert.equal(await sparekey.verify("jane.doe", spelling), true, spelling);
    const oneTime = await sparekey.issue(userId, { oneTime: true });
    const [first = "", ...others] = spellingsOf(oneTime).reverse();
    assert.equal(await sparekey.verify("jane.doe", first), true);
    for (const spelling of others) assert.equal(await sparekey.verify("jane.doe", spelling), false, spelling);
  });

  it("of one login name are one user: a code is accepted for each", async () => {
    const code = await sparekey.issue(userId);
    for (const name of names) assert.equal(await sparekey.verify(name, code), true, name);
  });

  it("of one login name share one count: ten guesses under ten names lock them all", async () => {
    const code = await sparekey.issue(userId);
    for (const [i, name] of names.entries()) {
      assert.equal(await sparekey.verify(name, "00000000000"), false);
      assert.equal(await failures(), i + 1, name);
    }
    for (const name of names) assert.equal(await sparekey.verify(name, code), false, name);
  });

  it("of one wrong code count once each, like any other guess", async () => {
    const user = await sparekey.createUser("counts.all");
    await sparekey.issue(user.id);
    for (const spelling of ["00000000000", "0000-0000-000", "OOOOOOOOOOO", "oooo oooo ooo"]) {
      assert.equal(await sparekey.verify("counts.all", spelling), false);
    }
    const { body } = await sparekey.admin("GET", `/api/v1/users/${user.id}/emergency-access`);
    assert.equal(body.failures, 4);
  });

  it("of one login name cannot belong to two users", async () => {
    const body = { username: "someone.else", email: "JANE.DOE@example.com", firstName: "S", lastName: "E" };
    const { status } = await sparekey.admin("POST", "/api/v1/users", body);
    assert.equal(status, 409);
    assert.equal(await sparekey.verify("someone.else", "00000000000"), false);
  });
});
