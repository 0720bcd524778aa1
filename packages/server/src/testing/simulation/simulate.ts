/** One run, from a seed to what is left of it. */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { AuditRecord } from "../../audit/canonical.ts";
import type { Company } from "../../installation/service.ts";
import { insertCompany } from "../../installation/store.ts";
import {
  createKeys,
  generateRootKey,
  type Keyring,
  KeyringService,
  parseRootKey,
  type RootKey,
} from "../../keyring/service.ts";
import type { Clock } from "../../platform/clock.ts";
import type { Database } from "../../platform/database/database.ts";
import { migrateToLatest } from "../../platform/database/migrate.ts";
import { createLog } from "../../platform/log.ts";
import type { Random } from "../../platform/random.ts";
import { insertRevision, RevisionService } from "../../revision/service.ts";
import { migrations } from "../../schema/migrations.ts";
import type { Tables } from "../../schema/tables.ts";
import { createSettings, settingsOf } from "../../settings/service.ts";
import * as administration from "./administration.ts";
import type { Callers } from "./callers.ts";
import { Dice, randomFrom } from "./dice.ts";
import { History } from "./history.ts";
import type { LinkBugs, World } from "./link.ts";
import { instantAt, SimulatedNode } from "./node.ts";
import { Scheduler } from "./scheduler.ts";
import { Store } from "./store.ts";
import { makeTrouble } from "./trouble.ts";
import { verify } from "./verifications.ts";
import { type Weather, weatherOf } from "./weather.ts";
import { work } from "./workload.ts";

/** A bug to be put into the core, to see that it is found. */
export interface Bug {
  /** In the text of a statement. */
  rewrite?(text: string): string;
  link?: LinkBugs;
  /** In a node's services. */
  node?(node: SimulatedNode, beginning: Beginning): Promise<void> | void;
}

/** The rows of a run at its end. */
export interface EndRows {
  access: Tables["emergency_access"][];
  users: Tables["users"][];
  settings: Tables["settings"];
  keys: { id: string }[];
  /** The records that have their personal half. */
  personal: string[];
  revision: number;
}

export interface Run {
  seed: number;
  weather: Weather;
  history: History;
  /** The record, in its order. */
  records: AuditRecord[];
  rows: EndRows;
  virtualMs: number;
  steps: number;
}

/** A database with an installation in it, from which every run begins. */
export interface Beginning {
  store: Store;
  company: Company;
  rootKey: RootKey;
}

export async function prepareBeginning(): Promise<Beginning> {
  const store = new Store();
  const random = randomFrom(new Dice(0, "beginning"));
  const clock = { now: () => instantAt(0) } as Clock;
  const company = { id: random.uuid(), name: "Test Company", publicUrl: "http://localhost:8080" };
  const rootKey = parseRootKey(generateRootKey(random)) as RootKey;
  await migrateToLatest(store.db, migrations);
  await insertCompany(store.db, company, clock.now());
  await insertRevision(store.db, company.id);
  await createKeys(store.db, company.id, rootKey, { clock, random });
  await createSettings(store.db, company.id, settingsOf("vendor"), clock);
  return { store, company, rootKey };
}

export async function simulate(
  beginning: Beginning,
  seed: number,
  { calls = 60, bug = {} }: { calls?: number; bug?: Bug } = {},
): Promise<Run> {
  const { store } = beginning;
  const world: World = {
    scheduler: new Scheduler(new Dice(seed, "order")),
    weather: weatherOf(new Dice(seed, "weather")),
    history: new History(),
    dice: new Dice(seed, "faults"),
    bugs: bug.link ?? {},
    store,
  };
  store.begin();
  try {
    if (bug.rewrite) store.rewrite = bug.rewrite;
    let driven: Promise<boolean> = Promise.resolve(false);
    world.scheduler.after(0, () => {
      driven = drive(beginning, world, { seed, calls, bug }).then(() => true);
      driven.catch(() => undefined);
    });
    await world.scheduler.run();
    const ended = await Promise.race([driven, nextTurn(false)]);
    if (!ended) throw new Error(`seed ${seed}: somebody waits for what never comes`);
    const { weather, history, scheduler } = world;
    const end = { records: await readRecord(store), rows: await readRows(store) };
    return { seed, weather, history, ...end, virtualMs: scheduler.nowMs, steps: scheduler.steps };
  } finally {
    store.reset();
  }
}

async function drive(
  beginning: Beginning,
  world: World,
  { seed, calls, bug }: { seed: number; calls: number; bug: Bug },
) {
  const { company } = beginning;
  const { scheduler, weather } = world;
  const random = randomFrom(new Dice(seed, "core"));
  const keyring = await openKeyring(beginning, random);
  const dice = new Dice(seed, "callers");
  let started = 0;
  const start = () => {
    const node = new SimulatedNode(`node ${++started}`, world, { company, keyring, random });
    void bug.node?.(node, beginning);
    return node;
  };
  const nodes = Array.from({ length: 2 + dice.below(2) }, start);
  const callers: Callers = { world, dice, nodes, users: [], codes: [], keys: [], attempts: [] };
  await begin(callers);
  const trouble = makeTrouble(world, new Dice(seed, "trouble"), nodes, start);
  await work(callers, trouble, calls);
  trouble.stop();
  weather.calm = true;
  // Longer than any lease.
  await scheduler.sleep(5_000);
  await probe(callers);
}

/** Keys that neither come nor go during a run. */
async function openKeyring({ store, company, rootKey }: Beginning, random: Random): Promise<Keyring> {
  const clock: Clock = { now: () => instantAt(0), monotonicMs: () => 0, sleep: async () => {} };
  const parts = { db: { read: store.db } as Database<Tables>, companyId: company.id, clock, random };
  const revision = new RevisionService({ ...parts, others: false });
  const log = createLog("silent");
  const keyring = await KeyringService.open({ ...parts, revision, log, rootKey, readRootKeys: async () => [] });
  const keys = await keyring.fresh();
  return { fresh: async () => keys };
}

/** Users, keys and settings, before anything goes wrong. */
async function begin(callers: Callers) {
  const { world, dice, nodes } = callers;
  world.weather.calm = true;
  const names = ["ada", "bob", "eve"].slice(0, 2 + dice.below(2));
  for (const name of names) await administration.createUser(callers, dice.pick(nodes), name);
  for (let keys = 0; keys < 2; keys++) await administration.createKey(callers, dice.pick(nodes));
  const tries = 2 + dice.below(4);
  const answerTimeMs = dice.pick([0, 0, 50]);
  await administration.changeSettings(callers, dice.pick(nodes), (settings) => {
    Object.assign(settings, { answerTimeMs, attemptTries: 2 + dice.below(3) });
    settings.lockout.tries = tries;
  });
  world.weather.calm = false;
}

/** After all trouble everything works again, on every node. */
async function probe(callers: Callers) {
  for (const [place, { id }] of callers.users.entries()) {
    const node = callers.nodes[place % callers.nodes.length] as SimulatedNode;
    await administration.createKey(callers, node);
    await verify(callers, node, id, "right");
    await administration.enable(callers, node, id);
    await administration.issue(callers, node, id, true);
    for (const other of callers.nodes) await verify(callers, other, id, "right");
  }
}

async function readRecord({ db }: Store): Promise<AuditRecord[]> {
  const rows = await db.selectFrom("audit_events").select("canonical").orderBy("sequence").execute();
  return rows.map(({ canonical }) => JSON.parse(canonical) as AuditRecord);
}

async function readRows({ db }: Store): Promise<EndRows> {
  return {
    access: await db.selectFrom("emergency_access").selectAll().execute(),
    users: await db.selectFrom("users").selectAll().execute(),
    settings: await db.selectFrom("settings").selectAll().executeTakeFirstOrThrow(),
    keys: await db.selectFrom("authn_keys").select("id").execute(),
    personal: (await db.selectFrom("audit_personal").select("event_id").execute()).map(({ event_id }) => event_id),
    revision: (await db.selectFrom("revision").select("number").executeTakeFirstOrThrow()).number,
  };
}
