/** Bugs that the simulation must find: without them it would not be known to be able to find any. */
import { createNaiveVerification } from "../naive-verification.ts";
import type { SimulatedNode } from "./node.ts";
import type { Beginning, Bug } from "./simulate.ts";

/** A bug and the rules by one of which it must be found, whatever else it breaks. */
export interface KnownBug extends Bug {
  rules: string[];
}

/** Takes a condition out of a statement and leaves its parameters in their places. */
function dropped(condition: string, from: string): (text: string) => string {
  const always = `(${condition} or 1 = 1)`;
  return (text) => (text.includes(from) ? text.replace(from, () => from.replace(condition, always)) : text);
}

function replaced(from: string, to: string): (text: string) => string {
  return (text) => text.replaceAll(from, () => to);
}

const triesBefore = "CASE WHEN locked_until IS NULL THEN tries ELSE 0 END";

export const bugs: Record<string, KnownBug> = {
  "verifying does not ask whether the code is active": {
    rules: ["P2", "P4"],
    rewrite: dropped(`"status" = ?`, `"status" = ? and "user_enabled"`),
  },
  "verifying does not ask whether the user is enabled": {
    rules: ["P4"],
    rewrite: dropped(`"user_enabled" = ?`, `"user_enabled" = ? and "expires_at"`),
  },
  "verifying does not ask whether the code has expired": {
    rules: ["P4"],
    rewrite: dropped(`"expires_at" > ?`, `"expires_at" > ? and ("locked_until"`),
  },
  "verifying does not ask whether the user is locked": {
    rules: ["P3"],
    rewrite: replaced(`("locked_until" is null or "locked_until" <= ?)`, `(1 = 1 or "locked_until" <= ?)`),
  },
  "verifying does not ask whether the code is still this one": {
    rules: ["P4"],
    rewrite: dropped(`"code_id" = ?`, `"code_id" = ? and "status" = ? and "user_enabled"`),
  },
  "verifying does not ask whether the tries of a lowered limit are used up": {
    rules: ["P3"],
    rewrite: replaced(`= 1 AND ${triesBefore} < ?`, `= 1 AND ${triesBefore} < ? + 1000`),
  },
  "a new code is a new supply of guesses": {
    rules: ["P3", "P5"],
    rewrite: replaced(
      `set "status" = ?, "code_id" = ?`,
      `set "tries" = 0, "failures" = 0, "locked_until" = null, "status" = ?, "code_id" = ?`,
    ),
  },
  "issuing does not ask whether the user is enabled": {
    rules: ["P4"],
    rewrite: dropped(`"user_enabled" = ?`, `"user_enabled" = ? returning 'issued'`),
  },
  "disabling does not reach the row that verification looks at": {
    rules: ["P4"],
    rewrite: replaced(`do update set "user_enabled" = ?`, `do update set "user_enabled" = "user_enabled" + 0 * ?`),
  },
  "revoking ends whatever code is there": {
    rules: ["P5"],
    rewrite: dropped(`"code_id" = ?`, `"code_id" = ? and "status" = ?) returning 'revoked'`),
  },
  "two answers to one message are both a turn": {
    rules: ["attempt"],
    rewrite: dropped(`"message_id" = ?`, `"message_id" = ? and "state"`),
  },
  "the record is not written": {
    rules: ["P5"],
    rewrite: (text) => (text.startsWith(`insert into "audit_events"`) ? "select ?, ?, ?, ?, ?" : text),
  },
  "a change of what nodes remember does not raise the revision": {
    rules: ["P11"],
    rewrite: replaced(`"number" = "number" + ?`, `"number" = "number" + 0 * ?`),
  },
  "verification reads, decides, and then writes": { rules: ["P2"], node: naively },
  "settings are read once": { rules: ["P11"], node: ({ services }) => onlyOnce(services.settings as never, "current") },
  "a lease never ends": { rules: ["P11"], node: ({ services }) => onlyOnce(services.revision as never, "current") },
  "a change is acknowledged while leases from before it last": {
    rules: ["P11"],
    node: ({ services }) => {
      services.revision.settle = async () => {};
    },
  },
  "a key that was once known is never forgotten": {
    rules: ["P11"],
    node: ({ services: { authnKeys } }) => {
      const authenticate = authnKeys.authenticate.bind(authnKeys);
      const known = new Map<string, Awaited<ReturnType<typeof authenticate>>>();
      authnKeys.authenticate = async (key) => {
        const client = known.get(key) ?? (await authenticate(key));
        if (client !== undefined) known.set(key, client);
        return client;
      };
    },
  },
  "writes are acknowledged before their commit": { rules: ["P1", "P2", "P5"], link: { acknowledgesEarly: true } },
  "a lost acknowledgement is taken for one": { rules: ["P10"], link: { guessesSuccess: true } },
  "a write is sent again whose acknowledgement was lost": { rules: ["P5"], link: { sendsAgain: true } },
  "half of a unit of work is kept": { rules: ["P5"], link: { keepsHalves: true } },
};

function onlyOnce<Name extends string>(service: Record<Name, () => Promise<unknown>>, name: Name) {
  const original = service[name].bind(service);
  let first: Promise<unknown> | undefined;
  service[name] = () => {
    first ??= original();
    first.catch(() => {
      first = undefined;
    });
    return first;
  };
}

/** Until its keys are there, and if the database does not tell them, a node verifies as it should. */
async function naively({ db, clock, services }: SimulatedNode, { company, rootKey }: Beginning): Promise<void> {
  const { codes, settings, audit, users } = services;
  const client = {
    principal: { kind: "authentication_client", id: "nobody" },
    requestId: null,
    address: null,
  } as const;
  const core = { db, company, rootKey, clock, settings, audit, client };
  const verify = await createNaiveVerification(core).catch(() => undefined);
  if (verify === undefined) return;
  codes.verify = async (call, { user, code }) => {
    const found = await users.findByLoginName(user);
    const accepted = found !== undefined && (await verify(found.id, code, call));
    return accepted ? { accepted, userId: found.id } : { accepted: false, reason: "wrong_code" };
  };
}
