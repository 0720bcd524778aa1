import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Principal } from "../principal.ts";
import {
  digestOf,
  type IdempotencyKey,
  type RepeatableCall,
  readIdempotencyKey,
  secretsOf,
} from "./repeatable-call.ts";

describe("an Idempotency-Key", () => {
  it("is the same bare and in quotes", () => {
    const key = "6f1f8f0e-1c39-4c6c-8d0b-6e3d2a1b5c77";
    assert.equal(readIdempotencyKey(key), key);
    assert.equal(readIdempotencyKey(`"${key}"`), key);
    assert.equal(readIdempotencyKey('"with \\"quotes\\" and \\\\"'), 'with "quotes" and \\');
    assert.equal(readIdempotencyKey('bare "quotes" and \\ in it'), 'bare "quotes" and \\ in it');
  });

  it("has 16 to 255 characters, quotes and escapes not counted", () => {
    for (const [length, taken] of [
      [15, false],
      [16, true],
      [255, true],
      [256, false],
    ] as const) {
      const key = "k".repeat(length);
      assert.equal(readIdempotencyKey(key), taken ? key : undefined);
      assert.equal(readIdempotencyKey(`"${key}"`), taken ? key : undefined);
    }
    assert.equal(readIdempotencyKey(`"${'\\"'.repeat(16)}"`), '"'.repeat(16));
    assert.equal(readIdempotencyKey(`"${'\\"'.repeat(15)}"`), undefined);
  });

  it("is nothing else: no other characters, no broken quotes, nothing after them", () => {
    const inner = "k".repeat(20);
    const wrong = [
      "",
      `${inner}\t`,
      `${inner}\u007f`,
      `${inner}é`,
      `${inner}\u00a0`,
      `"${inner}`,
      `"${inner}"x`,
      `"${inner}";a=1`,
    ];
    wrong.push(`"${inner}\\n"`, `"${inner}\\"`, `"${inner}"${inner}"`, `"a", "${inner}"`);
    for (const header of wrong) assert.equal(readIdempotencyKey(header), undefined, header);
  });
});

const scope = {
  companyId: "company",
  principal: { kind: "administrator", id: "key", role: "Super Administrator" } as Principal,
};
const call: RepeatableCall = {
  ...{ key: "a key of the client's" as IdempotencyKey, route: "PUT /a", onRepeat: () => {} },
  request: { params: { userId: "jane" }, body: { a: 1, b: [true, null] } },
};
const serverKey = Buffer.alloc(32, 1);

/** The same call with one thing changed, whatever the digest is to depend on. */
const others: [string, typeof scope, RepeatableCall][] = [
  ["company", { ...scope, companyId: "other" }, call],
  ["principal", { ...scope, principal: { ...scope.principal, id: "other" } as Principal }, call],
  ["kind of principal", { ...scope, principal: { kind: "authentication_client", id: "key" } }, call],
  ["route", scope, { ...call, route: "PUT /b" }],
  ["client's key", scope, { ...call, key: "another key of the client's" as IdempotencyKey }],
];

describe("what is derived from a call", () => {
  it("depends on company, principal, route and the client's key", () => {
    const secrets = secretsOf(serverKey, scope, call);
    for (const [what, otherScope, otherCall] of others) {
      assert.notEqual(digestOf(otherScope, otherCall), digestOf(scope, call), what);
      const { requestDigest, answerKey } = secretsOf(serverKey, otherScope, otherCall);
      assert.notEqual(requestDigest, secrets.requestDigest, what);
      assert.notDeepEqual(answerKey, secrets.answerKey, what);
    }
  });

  it("depends on the server's key, but for what finds the row: that one must outlive every key", () => {
    const secrets = secretsOf(serverKey, scope, call);
    const other = secretsOf(Buffer.alloc(32, 2), scope, call);
    assert.notEqual(other.requestDigest, secrets.requestDigest);
    assert.notDeepEqual(other.answerKey, secrets.answerKey);
  });

  it("depends on what was asked, not on the order in which it was written", () => {
    const { requestDigest, answerKey } = secretsOf(serverKey, scope, call);
    const asked = (request: unknown) => secretsOf(serverKey, scope, { ...call, request });
    const reordered = asked({ body: { b: [true, null], a: 1 }, params: { userId: "jane" } });
    assert.deepEqual(reordered, { requestDigest, answerKey });
    for (const request of [
      { params: { userId: "john" }, body: { a: 1, b: [true, null] } },
      { params: { userId: "jane" }, body: { a: 1, b: [null, true] } },
      { params: { userId: "jane" }, body: { a: "1", b: [true, null] } },
      { params: { userId: "jane" }, body: {} },
    ]) {
      assert.notEqual(asked(request).requestDigest, requestDigest);
      assert.notDeepEqual(asked(request).answerKey, answerKey);
    }
    // A row is found by the call, so that another request under its key is noticed.
    assert.equal(digestOf(scope, { ...call, request: {} }), digestOf(scope, call));
  });

  it("takes a key of any length, and a request of any size", () => {
    const long = { ...call, key: "k".repeat(255) as IdempotencyKey, request: { text: "x".repeat(100_000) } };
    assert.equal(secretsOf(serverKey, scope, long).answerKey.length, 32);
  });
});
