/**
 * A load that goes on whatever breaks: each user has one call under way at most, and a call that got no answer,
 * or 503, leaves its user alone until the ledger is held against the record.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Answer, ApiCaller, Send } from "../api-caller.ts";
import type { Account, Ledger } from "../crash/ledger.ts";
import { type Chance, change, nextChange, profileOf } from "../crash/load.ts";
import { Unanswered } from "./transport.ts";

export interface SteadyLoad {
  counts: { answered: number; unanswered: number; unavailable: number; slowestMs: number };
  /** What should never have been answered. */
  findings: string[];
  /** Resolves once no call is under way. */
  pause(): Promise<void>;
  resume(): void;
}

const usersPerWorker = 20;

/** Users to work on. */
export async function makeLedger({ admin }: ApiCaller, workers: number): Promise<Ledger> {
  const names = Array.from({ length: workers * usersPerWorker }, (_, n) => `fault.user${n}`);
  const { body, text } = await admin(
    "POST",
    "/api/v1/users",
    names.map((name) => profileOf(name, "First")),
  );
  if (body?.results === undefined) throw new Error(`users were not made: ${text}`);
  const accounts = body.results.map(({ user }: { user: { id: string; username: string } }) => ({
    userId: user.id,
    username: user.username,
    standing: { firstName: "First", failures: 0, status: "none", codeId: null, code: undefined, oneTime: false },
    pending: undefined,
    touched: false,
  }));
  const { cursor } = (await admin("GET", "/api/v1/audit/events?last=1")).body;
  return { accounts, fresh: [], found: [], cursor };
}

/** Begins at once. `any` answers a node to call. */
export function startSteadyLoad(
  any: (roll: number) => ApiCaller | undefined,
  ledger: Ledger,
  workers: number,
  chance: Chance,
): SteadyLoad {
  const counts = { answered: 0, unanswered: 0, unavailable: 0, slowestMs: 0 };
  const findings: string[] = [];
  let underWay = 0;
  let isPaused = false;
  const share = Math.ceil(ledger.accounts.length / workers);

  async function once(mine: Account[]) {
    const free = mine.filter((account) => account.pending === undefined);
    const account = free[Math.floor(chance() * free.length)];
    const caller = any(chance());
    if (isPaused || account === undefined || caller === undefined) return delay(10);
    underWay += 1;
    try {
      await change(tellingUnavailable(caller, counts, findings), ledger, account, nextChange(account.standing, chance));
      counts.answered += 1;
    } catch (error) {
      if (error instanceof Unanswered) counts.unanswered += 1;
      else findings.push(String(error));
    } finally {
      underWay -= 1;
    }
  }

  for (let worker = 0; worker < workers; worker++) {
    const mine = ledger.accounts.slice(worker * share, (worker + 1) * share);
    void (async () => {
      while (true) await once(mine);
    })();
  }
  return {
    counts,
    findings,
    pause: async () => {
      isPaused = true;
      while (underWay > 0) await delay(5);
    },
    resume: () => {
      isPaused = false;
    },
  };
}

/** 503 with its `Retry-After` is no answer; without it, it is a finding. */
function tellingUnavailable(caller: ApiCaller, counts: SteadyLoad["counts"], findings: string[]): ApiCaller {
  const telling =
    (send: Send): Send =>
    async (...request) => {
      const sentMs = performance.now();
      const answer: Answer = await send(...request);
      counts.slowestMs = Math.max(counts.slowestMs, performance.now() - sentMs);
      if (answer.status !== 503) return answer;
      counts.unavailable += 1;
      if (!(Number(answer.headers.get("retry-after")) >= 1)) findings.push("503 without Retry-After");
      throw new Unanswered("unavailable");
    };
  return { ...caller, call: telling(caller.call), admin: telling(caller.admin), client: telling(caller.client) };
}
