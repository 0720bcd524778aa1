import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { assertErrorShape } from "../testing/error-shape.ts";
import { type Answer, startInstallation, type TestInstallation } from "../testing/installation.ts";
import { changesNothing } from "../testing/state.ts";

const path = "/api/v1/users";
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

describe("one user", () => {
  let sparekey: TestInstallation;
  before(async () => {
    sparekey = await startInstallation();
  });
  after(() => sparekey.close());

  const input = (username: string, more: object = {}) => ({
    ...{ username, email: `${username}@example.com`, firstName: "Jane", lastName: "Doe" },
    ...more,
  });
  const send = (body: unknown) => sparekey.admin("POST", path, body);
  const lastActions = async (count: number) => (await sparekey.recorded()).slice(-count);

  function assertTaken(answer: Answer, name: string) {
    assert.deepEqual([answer.status, answer.body.code], [409, "login_name_taken"]);
    assertErrorShape(path, answer);
    assert.ok(answer.body.detail.includes(name), answer.body.detail);
  }

  it("201 for a new one, who is enabled unless the input says otherwise", async () => {
    const { status, body } = await send(input("jane.doe"));
    assert.equal(status, 201);
    assert.match(body.id, uuid);
    const now = sparekey.clock.now();
    assert.deepEqual(body, {
      ...{ id: body.id, username: "jane.doe", alternateUsername: null, email: "jane.doe@example.com" },
      ...{ firstName: "Jane", lastName: "Doe", status: "enabled", managerEmail: null, groups: [] },
      ...{ createdAt: now, updatedAt: now },
    });
    assert.equal((await send(input("late.joiner", { status: "disabled" }))).body.status, "disabled");
    assert.deepEqual(await lastActions(2), ["user.created", "user.created"]);
  });

  it("200 for one who is known: what is left out stays, and nothing is recorded when nothing changes", async () => {
    const more = { alternateUsername: "jd", managerEmail: "boss@example.com", groups: ["A", "B"], status: "disabled" };
    const { body: first } = await send(input("jane.two", more));
    sparekey.clock.advance(1_000);
    const unchanged = await changesNothing(sparekey, () => send(input("jane.two")));
    assert.deepEqual([unchanged.status, unchanged.body], [200, first]);

    const changed = await send(input("jane.two", { lastName: "Roe", groups: [], managerEmail: null }));
    assert.equal(changed.status, 200);
    assert.deepEqual(changed.body, {
      ...first,
      ...{ lastName: "Roe", groups: [], managerEmail: null, updatedAt: sparekey.clock.now() },
    });
    assert.deepEqual(await lastActions(1), ["user.updated"]);
    await send(input("jane.two", { lastName: "Roe", status: "enabled" }));
    assert.deepEqual(await lastActions(1), ["user.enabled"]);
  });

  it("200 for one who is known in another spelling of the username: the same user", async () => {
    const { body: first } = await send(input("Straße.Zürich"));
    for (const spelling of [
      "straße.zürich",
      "STRASSE.ZÜRICH",
      " Straße.Zürich ",
      "Straße.Zu\u0308rich",
      "ＳＴＲＡＳＳＥ．ＺＵ\u0308ＲＩＣＨ",
    ]) {
      const { status, body } = await send({ ...input("Straße.Zürich"), username: spelling });
      assert.deepEqual([status, body.id, body.username], [200, first.id, spelling]);
      assert.equal(await sparekey.verify(spelling, await sparekey.issue(first.id)), true);
    }
  });

  it("200 takes the new login names and gives the old ones up", async () => {
    const { body: user } = await send(input("mover", { alternateUsername: "old.name" }));
    await send({ ...input("mover"), email: "new@example.com", alternateUsername: "new.name" });
    const code = await sparekey.issue(user.id);
    for (const name of ["mover", "new.name", "new@example.com"])
      assert.equal(await sparekey.verify(name, code), true, name);
    for (const name of ["old.name", "mover@example.com"]) assert.equal(await sparekey.verify(name, code), false, name);
    assert.equal(
      (await send({ ...input("heir"), alternateUsername: "old.name", email: "mover@example.com" })).status,
      201,
    );
  });

  it("409 when one user's name, of any kind and in any spelling, is another's", async () => {
    await send(input("owner", { alternateUsername: "owner.alias" }));
    await send({ ...input("chief@corp.example"), email: "chief@example.com", alternateUsername: "boss@corp.example" });
    await send(input("second"));
    const takenNames = ["owner", "OWNER", "owner.alias", "Owner@Example.com", " ｏwner ", "owner@example.com"];
    const takenAddresses = ["owner@example.com", "OWNER@example.com", "Chief@Corp.Example", "boss@corp.example"];
    for (const name of takenNames) {
      for (const body of [input("third"), input("second")]) {
        const answer = await changesNothing(sparekey, () => send({ ...body, alternateUsername: name }));
        assertTaken(answer, name.trim().normalize("NFKC").toLowerCase());
      }
    }
    for (const email of takenAddresses) {
      for (const body of [input("third"), input("second")]) {
        assertTaken(await changesNothing(sparekey, () => send({ ...body, email })), email.toLowerCase());
      }
    }
    // A username that is somebody's email or alternate name is not that user's username.
    for (const username of ["owner@example.com", "OWNER.alias"]) {
      const answer = await changesNothing(sparekey, () => send({ ...input("x"), username, email: "free@example.com" }));
      assertTaken(answer, username);
    }
  });

  it("201 for a user whose names are all the same", async () => {
    const name = "same@example.com";
    const { status, body } = await send({ ...input(name), email: "SAME@example.com", alternateUsername: name });
    assert.equal(status, 201);
    assert.equal(await sparekey.verify("Same@Example.com", await sparekey.issue(body.id)), true);
  });

  it("200 disables a user whose code stops working at once, and enables it again with the user", async () => {
    const { body } = await send(input("leaver"));
    const code = await sparekey.issue(body.id);
    await send(input("leaver", { status: "disabled" }));
    assert.equal(await sparekey.verify("leaver", code), false);
    await send(input("leaver", { status: "enabled" }));
    assert.equal(await sparekey.verify("leaver", code), true);
  });

  it("400 for an input that is none", async () => {
    const good = input("somebody");
    const names = [
      "",
      " ",
      "\t\n",
      "\u00a0\u3000",
      "x".repeat(321),
      "nul\u0000",
      "line\nbreak",
      "bell\u0007",
      "del\u007f",
      null,
      1,
      ["x"],
      {},
    ];
    const bodies: unknown[] = [
      ...names.flatMap((name) => [
        { ...good, username: name },
        { ...good, email: name },
        ...(name === null
          ? []
          : [
              { ...good, alternateUsername: name },
              { ...good, managerEmail: name },
            ]),
      ]),
      ...["jane.doe", "@example.com", "jane@", "a@b@c", "a b@c", "jane＠example.com"].map((email) => ({
        ...good,
        email,
      })),
      ...["username", "email", "firstName", "lastName"].map((name) => ({ ...good, [name]: undefined })),
      ...[null, 1, "x".repeat(201)].flatMap((name) => [
        { ...good, firstName: name },
        { ...good, lastName: name },
      ]),
      ...["Enabled", "", null, true].map((status) => ({ ...good, status })),
      ...[
        "A",
        [""],
        [1],
        ["A", "A"],
        ["x".repeat(201)],
        Array.from({ length: 201 }, (_, group) => `${group}`),
        null,
      ].map((groups) => ({ ...good, groups })),
      { ...good, id: "00000000-0000-4000-8000-000000000000" },
      { ...good, role: "Super Administrator" },
      { ...good, createdAt: sparekey.clock.now() },
      {},
      [],
    ];
    for (const body of bodies) {
      const answer = await changesNothing(sparekey, () => send(body));
      assert.equal(answer.status, 400, JSON.stringify(body));
      assertErrorShape(path, answer);
    }
  });
});
