import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { AuthnClient, credential, methodId } from "../testing/authn-client.ts";
import { assertErrorShape } from "../testing/error-shape.ts";
import { startInstallation, type TestInstallation } from "../testing/installation.ts";
import { changesNothing } from "../testing/state.ts";

const id = "00000000-0000-4000-8000-000000000000";
const honest = { subjectName: "jane.doe", context: { messageId: "1" } };
const input = (value: unknown, name: unknown = methodId) => ({ name, value });
const inputs = (...collectedInputs: unknown[]) => ({ methodId, collectedInputs });

/** Values that are no text. */
const notTexts = [null, 1, true, [], ["x"], {}];

const refusedToInitialize: [name: string, body: unknown][] = [
  ["no subject name", { context: honest.context }],
  ["an empty subject name", { ...honest, subjectName: "" }],
  ["a subject name of a thousand and one letters", { ...honest, subjectName: "x".repeat(1_001) }],
  ...notTexts.map((value): [string, unknown] => [
    `subject name ${JSON.stringify(value)}`,
    { ...honest, subjectName: value },
  ]),
  ["no context", { subjectName: "jane.doe" }],
  ["no message id", { ...honest, context: {} }],
  ["an empty message id", { ...honest, context: { messageId: "" } }],
  ...notTexts.map((value): [string, unknown] => [
    `message id ${JSON.stringify(value)}`,
    { ...honest, context: { messageId: value } },
  ]),
  ["an attempt id", { ...honest, context: { messageId: "1", authnAttemptId: id } }],
  ["an answered message", { ...honest, context: { messageId: "1", inResponseTo: id } }],
  ...[0, -1, 3_601, 1.5, "0", "3601", "99999", "1.5", "-1", "", "soon", "٣٠", true, [], {}].map(
    (value): [string, unknown] => [`timeout ${JSON.stringify(value)}`, { ...honest, authnAttemptTimeout: value }],
  ),
  ["another method", { ...honest, authMethodId: "TOKEN" }],
  ["an unknown assurance level", { ...honest, assuranceLevel: "VERY HIGH" }],
  ["attributes that are no list", { ...honest, sessionAttributes: { a: 1 } }],
  ["attributes that are no objects", { ...honest, sessionAttributes: ["a"] }],
  ["keepAttempt that is no boolean", { ...honest, keepAttempt: "true" }],
  ["two credentials with a code each", { ...honest, subjectCredentials: [credential("a"), credential("b")] }],
  ["one credential with two codes", { ...honest, subjectCredentials: [inputs(input("a"), input("b"))] }],
  ["the same code twice", { ...honest, subjectCredentials: [credential("a"), credential("a")] }],
  ["a credential without an input", { ...honest, subjectCredentials: [inputs()] }],
  ["a code under another name", { ...honest, subjectCredentials: [inputs(input("a", "PASSWORD"))] }],
  [
    "a credential of another method alone",
    { ...honest, subjectCredentials: [{ ...credential("a"), methodId: "TOKEN" }] },
  ],
  ["six credentials", { ...honest, subjectCredentials: Array(6).fill({ ...credential("a"), methodId: "TOKEN" }) }],
  ["eleven inputs", { ...honest, subjectCredentials: [inputs(...Array(11).fill(input("a", "x")))] }],
  ["a code of a thousand and one letters", { ...honest, subjectCredentials: [credential("x".repeat(1_001))] }],
  ...notTexts.map((value): [string, unknown] => [
    `code ${JSON.stringify(value)}`,
    { ...honest, subjectCredentials: [inputs(input(value))] },
  ]),
];

const acceptedToInitialize: [name: string, body: unknown][] = [
  ["what is required", honest],
  ["a message id that is no UUID", { ...honest, context: { messageId: "äöü 🔑 / \\ \" '" } }],
  [
    "null where a context has nothing",
    { ...honest, context: { messageId: "1", authnAttemptId: null, inResponseTo: null } },
  ],
  [
    "nothing where a context has nothing",
    { ...honest, context: { messageId: "1", authnAttemptId: "", inResponseTo: "" } },
  ],
  ["our method", { ...honest, authMethodId: methodId }],
  ...["LOW", "MEDIUM", "HIGH", null].map((level): [string, unknown] => [
    `assurance level ${level}`,
    { ...honest, assuranceLevel: level },
  ]),
  ["no credentials", { ...honest, subjectCredentials: [] }],
  [
    "null for everything that may be left out",
    {
      ...honest,
      ...{ clientId: null, authnAttemptTimeout: null, lang: null, assurancePolicyId: null, assuranceLevel: null },
      ...{
        authMethodId: null,
        sessionAttributes: null,
        subjectCredentials: null,
        keepAttempt: null,
        clientDetails: null,
      },
    },
  ],
  [
    "everything at once, and more",
    {
      ...honest,
      ...{
        clientId: "vpn",
        lang: "en-US",
        assurancePolicyId: "policy-1",
        clientDetails: { os: ["x", 1] },
        strange: true,
      },
      sessionAttributes: [{ name: "IP_ADDRESS", value: "192.0.2.1", dataType: "STRING" }],
    },
  ],
];

describe("what the Authentication API takes", () => {
  let sparekey: TestInstallation;
  let client: AuthnClient;
  let code: string;
  before(async () => {
    sparekey = await startInstallation();
    code = await sparekey.issue((await sparekey.createUser("jane.doe")).id, { oneTime: true });
    client = new AuthnClient(sparekey);
  });
  after(() => sparekey.close());

  async function assertRefused(operation: string, body: unknown) {
    const answer = await changesNothing(sparekey, () => client.call(operation, body));
    assert.equal(answer.status, 400, JSON.stringify(answer.body));
    assertErrorShape(`/mfa/v1_1/authn/${operation}`, answer);
  }

  for (const [name, body] of refusedToInitialize) {
    it(`400 to begin with ${name}`, () => assertRefused("initialize", body));
  }

  for (const [name, body] of acceptedToInitialize) {
    it(`200 to begin with ${name}`, async () => {
      const answer = await client.call("initialize", body);
      assert.equal(answer.status, 200, JSON.stringify(answer.body));
      assert.equal(answer.body.attemptResponseCode, "CHALLENGE");
      const { context } = body as { context: { messageId: string } };
      assert.equal(answer.body.context.inResponseTo, context.messageId);
    });
  }

  it("400 for two codes in one request, even when one of them is right: none is tried", async () => {
    await client.initialize("jane.doe");
    const pairs = [
      [credential(code), credential("00000000000")],
      [credential("00000000000"), credential(code)],
      [inputs(input(code), input("00000000000"))],
      [credential(code), credential(code)],
    ];
    for (const subjectCredentials of pairs) {
      await assertRefused("initialize", { ...honest, subjectCredentials });
      await assertRefused("verify", { context: client.context(), subjectCredentials });
    }
  });

  it("400 to verify without a code, without a message to answer, or with no attempt named", async () => {
    const context = client.context();
    const subjectCredentials = [credential("00000000000")];
    const bodies = [
      { context },
      { context, subjectCredentials: [] },
      { context, subjectCredentials: null },
      { context, subjectCredentials: credential("00000000000") },
      { context: { ...context, inResponseTo: undefined }, subjectCredentials },
      { context: { ...context, inResponseTo: "" }, subjectCredentials },
      { context: { ...context, inResponseTo: [context.inResponseTo] }, subjectCredentials },
      { context: { ...context, authnAttemptId: undefined }, subjectCredentials },
      { context: { ...context, authnAttemptId: "x".repeat(101) }, subjectCredentials },
      { context: { ...context, messageId: undefined }, subjectCredentials },
      { subjectCredentials },
    ];
    for (const body of bodies) await assertRefused("verify", body);
  });

  it("400 for a status and a cancellation of nothing, or for a strange reason", async () => {
    for (const operation of ["status", "cancel"]) {
      for (const body of [
        {},
        { authnAttemptId: "" },
        { authnAttemptId: null },
        { authnAttemptId: [client.attemptId] },
      ]) {
        await assertRefused(operation, body);
      }
      await assertRefused(operation, { authnAttemptId: client.attemptId, removeAttemptId: "true" });
    }
    await assertRefused("cancel", { authnAttemptId: client.attemptId, reason: "BOREDOM" });
  });

  it("200 for a code among other credentials, with everything that clients send along", async () => {
    const others = [{ ...credential("a password"), methodId: "PASSWORD" }, inputs(input(code), input("x", "DEVICE"))];
    const more = { versionId: "1.0.0", referenceId: null, dataType: "STRING" };
    const answer = await client.call("verify", {
      context: client.context(),
      subjectCredentials: others.map((one) => ({ ...one, ...more })),
      ...{ clientId: "vpn", subjectName: "somebody else", strange: { a: 1 } },
    });
    assert.equal(answer.status, 200);
    // The attempt is about the user that it began with, whoever is named now.
    assert.equal(answer.body.attemptResponseCode, "SUCCESS");
  });
});
