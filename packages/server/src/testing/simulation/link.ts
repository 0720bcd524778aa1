/** A node's way to the database, on which calls are late, lost, cut off or done without anyone hearing of it. */
import type { CompiledQuery, QueryResult } from "kysely";
import { type Database, DatabaseUnavailable } from "../../platform/database/database.ts";
import type { AnyOperation } from "../../platform/database/guarded-write.ts";
import { runAlone } from "../../platform/database/run-guarded.ts";
import type { Connection, Tables } from "../../schema/tables.ts";
import type { Dice } from "./dice.ts";
import { type Blocked, callUnderWay, type History, type HistoryCall } from "./history.ts";
import type { Scheduler } from "./scheduler.ts";
import { ConnectionLost, kyselyOver, type Store } from "./store.ts";
import { type Fate, fateOf, latencyMs, type Weather } from "./weather.ts";

/** Bugs that a way to the database can have. */
export interface LinkBugs {
  /** Answers what a guarded write comes to, and then writes it. */
  acknowledgesEarly?: boolean;
  /** Takes a lost acknowledgement for one. */
  guessesSuccess?: boolean;
  /** Sends a write again whose acknowledgement was lost. */
  sendsAgain?: boolean;
  /** Keeps what was done of a unit of work that failed. */
  keepsHalves?: boolean;
}

export interface World {
  scheduler: Scheduler;
  store: Store;
  weather: Weather;
  history: History;
  /** For faults and delays. */
  dice: Dice;
  bugs: LinkBugs;
}

interface Request<Result> {
  what: string;
  writes: boolean;
  /** A guarded write rather than a unit of work. */
  guarded?: boolean;
  run(how: { failsAfter?: number; keep?: boolean; keepHalves?: boolean }): Promise<Result>;
}

export class Link {
  alive = true;
  blocked: Blocked = "nothing";
  /** Ends whatever blocks it. */
  mend = () => {};
  readonly #node: string;
  readonly #world: World;

  constructor(node: string, world: World) {
    this.#node = node;
    this.#world = world;
  }

  read(query: CompiledQuery): Promise<QueryResult<unknown>> {
    const { store } = this.#world;
    return this.#send({ what: `read ${tableOf(query.sql)}`, writes: false, run: () => store.execute(query) });
  }

  write<Result>(unit: (trx: Connection) => Promise<Result>): Promise<Result> {
    const { store } = this.#world;
    return this.#send({ what: "unit of work", writes: true, run: (how) => store.transact(unit, how) });
  }

  apply<Result>(what: string, unit: (trx: Connection) => Promise<Result>): Promise<Result> {
    const { store } = this.#world;
    return this.#send({ what, writes: true, guarded: true, run: (how) => store.transact(unit, how) });
  }

  /** Resolves when it is the caller's turn, unless the node dies first. */
  turn(): Promise<void> {
    const { scheduler, weather, dice } = this.#world;
    return new Promise((resolve) => {
      scheduler.after(latencyMs(weather, dice), () => {
        if (this.alive) resolve();
      });
    });
  }

  #send<Result>(request: Request<Result>): Promise<Result> {
    const { scheduler, weather, dice } = this.#world;
    const call = callUnderWay.getStore();
    const fate = fateOf(weather, request.writes, dice);
    const outlivesNode = dice.chance(0.5);
    return new Promise((resolve, reject) => {
      const answer = (settle: () => void) =>
        scheduler.after(latencyMs(weather, dice), () => {
          if (this.alive) settle();
        });
      scheduler.after(latencyMs(weather, dice), async () => {
        if (!this.alive && !(outlivesNode && request.writes)) return;
        try {
          const result = await this.#arrive(request, this.#isBlocked(request) ? "refused" : fate, call);
          answer(() => resolve(result));
        } catch (error) {
          answer(() => reject(error));
        }
      });
    });
  }

  #isBlocked({ writes, what }: Request<unknown>): boolean {
    if (this.blocked === "revision") return what === "read revision";
    return this.blocked === "everything" || this.blocked === (writes ? "writes" : "reads");
  }

  /** What the request comes to at the database. */
  async #arrive<Result>(request: Request<Result>, fate: Fate, call: HistoryCall | undefined): Promise<Result> {
    const { scheduler, weather, dice, bugs } = this.#world;
    const { run } = request;
    this.#note(request, fate, call);
    if (bugs.acknowledgesEarly && request.guarded && fate === "done") {
      const result = await run({ keep: false });
      scheduler.after(latencyMs(weather, dice), () => this.alive && run({}).catch(() => undefined));
      return result;
    }
    switch (fate) {
      case "done":
        return run({});
      case "refused":
        throw new DatabaseUnavailable("the database cannot be reached");
      case "broken": {
        const failsAfter = 1 + dice.below(3);
        return run({ failsAfter, keepHalves: bugs.keepsHalves === true }).catch((error) => {
          throw error instanceof ConnectionLost ? new DatabaseUnavailable("the connection ended") : error;
        });
      }
      case "lost":
        return this.#lose(await run({}), request, call);
      case "late":
        if (call !== undefined) call.lostAcknowledgement = true;
        scheduler.after(latencyMs(weather, dice), () => run({}).then(() => this.#note(request, "done", call), ignore));
        throw new DatabaseUnavailable("the database does not answer");
    }
  }

  async #lose<Result>(result: Result, { run }: Request<Result>, call: HistoryCall | undefined): Promise<Result> {
    const { bugs } = this.#world;
    if (call !== undefined) call.lostAcknowledgement = true;
    if (bugs.guessesSuccess) return result;
    if (bugs.sendsAgain) return run({});
    throw new DatabaseUnavailable("the answer was lost");
  }

  #note({ what }: Request<unknown>, fate: Fate, call: HistoryCall | undefined) {
    const { history, scheduler } = this.#world;
    history.events.push({
      moment: scheduler.moment(),
      ms: scheduler.nowMs,
      node: this.#node,
      callId: call?.id,
      what: fate === "done" ? what : `${what}: ${fate}`,
    });
  }
}

/** The database as the core of a node sees it through its link. */
export function databaseThrough(link: Link): Database<Tables> {
  const read = kyselyOver((query) => link.read(query));
  const absent = () => Promise.reject(new Error("not part of the simulation"));
  return {
    read,
    report: (run) => run(read),
    snapshot: absent,
    unitsAtOnce: 2,
    load: () => ({ queued: 0, oldestMs: 0, pools: {} }),
    shared: true,
    write: (unit) => link.write(unit),
    apply: async (write, _row, prepare) => {
      await link.turn();
      const operation = prepare();
      // Everything the record may have to say is made before the statement leaves, which may be long before it runs.
      const made = Object.entries(operation.consequences as AnyOperation["consequences"]).map(
        ([word, make]) => [word, make?.()] as const,
      );
      const consequences = Object.fromEntries(made.map(([word, consequence]) => [word, () => consequence]));
      const what = `write ${Object.keys(operation.consequences).join("|")}`;
      const { words } = await link.apply(what, (trx) =>
        runAlone(trx, write, { input: operation.input, consequences } as typeof operation),
      );
      return words as never;
    },
    migrate: absent,
    settled: async () => {},
    timeMs: absent,
    synchronousStandbys: async () => 0,
    close: async () => {},
  };
}

const tables = new Map<string, string>();

function tableOf(text: string): string {
  const known = tables.get(text) ?? /from "(\w+)"/.exec(text)?.[1] ?? "something";
  tables.set(text, known);
  return known;
}

function ignore() {}
