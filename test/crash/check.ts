/** Holds a server that was restarted against the ledger, and says what is missing or should not be there. */
import type { ApiCaller } from "../api-caller.ts";
import { type Account, actionOf, type Ledger, type Standing, standingAfter } from "./ledger.ts";
import { change } from "./load.ts";

export interface Checked {
  /** What is wrong, one sentence each; empty when every acknowledged answer is there. */
  findings: string[];
  /** Calls that got no answer and are in the record all the same. */
  unanswered: number;
}

interface Event {
  sequence: number;
  action: string;
  userId: string | null;
  requestId: string | null;
}

/** Checks what was touched since the last check, and leaves the ledger as the server really stands. */
export async function checkSinceLastTime(caller: ApiCaller, ledger: Ledger): Promise<Checked> {
  const events = await readEvents(caller, ledger.cursor);
  const { findings, unanswered } = checkRecord(events, ledger);
  ledger.cursor = events.at(-1)?.sequence ?? ledger.cursor;
  const touched = ledger.accounts.filter((account) => account.touched);
  for (const finding of await Promise.all(touched.map((account) => checkAccount(caller, ledger, account)))) {
    findings.push(...finding);
  }
  return { findings, unanswered };
}

/** Checks everyone, and every record from the first on. */
export async function checkEverything(caller: ApiCaller, ledger: Ledger): Promise<string[]> {
  for (const account of ledger.accounts) account.touched = true;
  const { findings } = await checkSinceLastTime(caller, ledger);
  const places = new Map(
    (await readEvents(caller, 0)).map(({ requestId, action, sequence }) => [requestId + action, sequence]),
  );
  for (const { requestId, action, sequence } of ledger.found) {
    const place = places.get(requestId + action);
    if (place !== sequence) findings.push(`${action} of ${requestId} moved from ${sequence} to ${place}`);
  }
  return findings;
}

function checkRecord(events: Event[], ledger: Ledger): Checked {
  const findings: string[] = [];
  for (const [index, { sequence }] of events.entries()) {
    const before = events[index - 1]?.sequence ?? ledger.cursor;
    if (sequence <= before) findings.push(`the sequence went from ${before} to ${sequence}`);
  }
  const unclaimed = new Map(events.map((event) => [event.requestId + event.action, event]));
  for (const record of ledger.fresh.splice(0)) {
    const event = unclaimed.get(record.requestId + record.action);
    if (event === undefined)
      findings.push(`no record of ${record.action}, which was acknowledged to ${record.requestId}`);
    else ledger.found.push({ ...record, sequence: event.sequence });
    unclaimed.delete(record.requestId + record.action);
  }
  for (const { action, userId } of unclaimed.values()) {
    // What is about no user, such as a start of the service, is no call of the ledger's.
    if (userId === null) continue;
    const account = ledger.accounts.find((one) => one.userId === userId);
    const expected = account?.pending && actionOf(account.pending, account.standing);
    if (expected !== action) findings.push(`${action} of user ${userId} is in the record, and nobody asked for it`);
  }
  return { findings, unanswered: unclaimed.size };
}

async function checkAccount(caller: ApiCaller, ledger: Ledger, account: Account): Promise<string[]> {
  const { standing, pending, userId, username } = account;
  const seen = await look(caller, account);
  const happened = pending && standingAfter(standing, pending);
  const stands = [standing, happened].find((expected) => expected !== undefined && agree(expected, seen, standing));
  account.pending = undefined;
  account.touched = false;
  if (stands === undefined) {
    return [
      `${username} ${userId}: ${JSON.stringify(standing)} and ${JSON.stringify(pending)} became ${JSON.stringify(seen)}`,
    ];
  }
  // An issue that happened without its answer leaves a code that nobody knows: the one before must be refused.
  const oldCode = standing.code;
  account.standing = { ...stands, codeId: seen.codeId };
  if (oldCode === undefined) return [];
  try {
    if (stands.code !== undefined) await change(caller, ledger, account, { kind: "verify", right: true });
    else await refuseOld(caller, ledger, account, oldCode);
    return [];
  } catch (error) {
    return [`${username} ${userId}: ${(error as Error).message}`];
  } finally {
    account.touched = false;
  }
}

/** The code before is one wrong guess at the new one. */
async function refuseOld(caller: ApiCaller, ledger: Ledger, account: Account, oldCode: string) {
  const answer = await caller.client("POST", "/api/v1/verify", { user: account.username, code: oldCode });
  if (answer.body.accepted !== false) throw new Error(`the replaced code was answered ${answer.status} ${answer.text}`);
  account.standing = standingAfter(account.standing, { kind: "verify", right: false });
  const requestId = answer.headers.get("x-request-id") ?? "";
  ledger.fresh.push({ requestId, userId: account.userId, action: "emergency_code.verified" });
}

type Seen = Pick<Standing, "status" | "failures" | "codeId" | "firstName">;

async function look({ admin }: ApiCaller, { userId, username }: Account): Promise<Seen> {
  const { status, failures, codeId } = (await admin("GET", `/api/v1/users/${userId}/emergency-access`)).body;
  const { firstName } = (await admin("POST", "/AdminInterface/restapi/v1/users/lookup", { username })).body;
  return { status, failures, codeId, firstName };
}

function agree(expected: Standing, seen: Seen, before: Standing): boolean {
  const isNew = expected.codeId === null && expected.status === "active";
  const sameCode = isNew ? seen.codeId !== before.codeId : seen.codeId === expected.codeId;
  const { status, failures, firstName } = expected;
  return sameCode && seen.status === status && seen.failures === failures && seen.firstName === firstName;
}

async function readEvents({ admin }: ApiCaller, after: number): Promise<Event[]> {
  const events: Event[] = [];
  for (let cursor = after; ; ) {
    const { body, text } = await admin("GET", `/api/v1/audit/events?after=${cursor}&limit=1000`);
    if (body.events === undefined) throw new Error(`the record was not told: ${text}`);
    if (body.events.length === 0) return events;
    events.push(...body.events);
    cursor = body.cursor;
  }
}
