import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { type Database, DatabaseUnavailable } from "../platform/database/database.ts";
import type { Tables } from "../schema/tables.ts";
import { startInstallation, type TestInstallation } from "../testing/installation.ts";
import { type IssuingRoute, isRepeated, issueBy, issuingRoutes } from "../testing/repeatable-calls.ts";

type Write = Database<Tables>["write"];

/** What happens to the next unit of work, while the client hears nothing but 503. */
type Fault = (write: Write, unit: Parameters<Write>[0]) => Promise<unknown>;

const lost = () => new DatabaseUnavailable("the answer was lost");

const faults: { name: string; happens: boolean; fault: Fault }[] = [
  {
    name: "after the commit",
    happens: true,
    fault: async (write, unit) => {
      await write(unit);
      throw lost();
    },
  },
  {
    name: "before the commit",
    happens: false,
    fault: (write, unit) =>
      write(async (trx) => {
        await unit(trx);
        throw lost();
      }),
  },
  {
    name: "before anything was done",
    happens: false,
    fault: async () => {
      throw lost();
    },
  },
];

describe("an answer that is lost", () => {
  let sparekey: TestInstallation;
  let nextWrite: Fault | undefined;
  let losesBatch = false;
  before(async () => {
    const watch = (db: Database<Tables>): Database<Tables> => ({
      ...db,
      write: (unit) => {
        const fault = nextWrite;
        nextWrite = undefined;
        return fault === undefined ? db.write(unit) : (fault(db.write, unit) as never);
      },
      apply: async (write, row, prepare) => {
        const words = await db.apply(write, row, prepare);
        if (losesBatch) throw lost();
        return words;
      },
    });
    sparekey = await startInstallation({ watch });
  });
  afterEach(() => {
    nextWrite = undefined;
  });
  after(() => sparekey.close());

  const issuedFor = async (userId: string) => {
    const { body } = await sparekey.admin("GET", `/api/v1/audit/events?limit=1000&userId=${userId}`);
    return body.events.filter(({ action }: { action: string }) => action === "emergency_code.issued");
  };

  for (const { name, happens, fault } of faults) {
    for (const [place, route] of issuingRoutes.entries()) {
      it(`${name}, on ${route.name}: 503, then the retry ${happens ? "gives the code that was issued" : "issues it"}`, async () => {
        const { id: userId, username } = await sparekey.createUser(`${name.replaceAll(" ", ".")}.${place}`);
        const key = `a key for what is lost ${name}`;
        nextWrite = fault;
        const first = await issueBy(sparekey, route, { userId, key });
        assert.equal(first.status, 503);
        assert.ok(Number(first.headers.get("retry-after")) >= 1);
        const issuedBefore = await issuedFor(userId);
        assert.equal(issuedBefore.length, happens ? 1 : 0);

        const again = await issueBy(sparekey, route, { userId, key });
        assert.deepEqual([again.status, isRepeated(again)], [200, happens]);
        const issued = await issuedFor(userId);
        assert.equal(issued.length, 1);
        const access = await sparekey.admin("GET", `/api/v1/users/${userId}/emergency-access`);
        assert.equal(access.body.codeId, issued[0].details.codeId);
        assert.equal(await sparekey.verify(username, route.codeIn(again.body)), true);
      });
    }
  }

  it("control: without a key the retry issues a second code", async () => {
    const { id: userId } = await sparekey.createUser("control");
    const issue = () => sparekey.admin("POST", `/api/v1/users/${userId}/emergency-code`, {});
    losesBatch = true;
    assert.equal((await issue()).status, 503);
    losesBatch = false;
    assert.equal((await issue()).status, 200);
    assert.equal((await issuedFor(userId)).length, 2);
  });

  it("409 at once while the first call is under way, and the first answer as soon as it is there", async () => {
    const [, , ours] = issuingRoutes as [IssuingRoute, IssuingRoute, IssuingRoute];
    const { id: userId } = await sparekey.createUser("slow");
    const issue = { userId, key: "a key for what is slow" };
    const gate = Promise.withResolvers<void>();
    const began = Promise.withResolvers<void>();
    nextWrite = async (write, unit) => {
      began.resolve();
      await gate.promise;
      return write(unit);
    };
    const first = issueBy(sparekey, ours, issue);
    await began.promise;
    const meanwhile = await issueBy(sparekey, ours, issue);
    assert.equal(meanwhile.status, 409);
    assert.equal(meanwhile.headers.get("retry-after"), "1");
    assert.equal(meanwhile.body.code, "idempotency_in_progress");
    gate.resolve();
    const { body } = await first;
    const again = await issueBy(sparekey, ours, issue);
    assert.deepEqual([isRepeated(again), again.body], [true, body]);
  });
});
