/** A node: the real services over its own link, clock and memory. It can die at any moment. */
import { createServices } from "../../app.ts";
import { AuthnKeysService } from "../../authn-keys/service.ts";
import type { Company } from "../../installation/service.ts";
import type { Keyring } from "../../keyring/service.ts";
import { type Clock, type Instant, instantFromMs } from "../../platform/clock.ts";
import type { Database } from "../../platform/database/database.ts";
import type { Random } from "../../platform/random.ts";
import { RevisionService } from "../../revision/service.ts";
import type { Tables } from "../../schema/tables.ts";
import { databaseThrough, Link, type World } from "./link.ts";

/** When every run begins. */
const beganMs = Date.UTC(2026, 0, 1, 12);

/** What all nodes of a run have in common. */
export interface Installation {
  company: Company;
  keyring: Keyring;
  random: Random;
}

class NodeClock implements Clock {
  skewMs = 0;
  readonly #world: World;
  readonly #link: Link;
  readonly #rate: number;

  constructor(world: World, link: Link) {
    const { drift } = world.weather;
    this.#world = world;
    this.#link = link;
    this.#rate = 1 + world.dice.between(-drift, drift);
    this.step();
  }

  /** The time of day moves, forwards or back. */
  step() {
    const { weather, dice } = this.#world;
    this.skewMs = weather.calm ? 0 : dice.between(-weather.skewMs, weather.skewMs);
  }

  now(): Instant {
    return instantAt(this.#world.scheduler.nowMs + this.skewMs);
  }

  monotonicMs(): number {
    return this.#world.scheduler.nowMs * this.#rate;
  }

  sleep(durationMs: number): Promise<void> {
    const { scheduler } = this.#world;
    return new Promise((resolve) => {
      scheduler.after(durationMs / this.#rate, () => {
        if (this.#link.alive) resolve();
      });
    });
  }
}

export class SimulatedNode {
  readonly name: string;
  readonly link: Link;
  readonly clock: NodeClock;
  readonly db: Database<Tables>;
  readonly services: ReturnType<typeof createServices> & { authnKeys: AuthnKeysService };
  /** Resolves when the node dies; its calls then never do. */
  readonly died: Promise<void>;
  #die: () => void = () => {};

  constructor(name: string, world: World, installation: Installation) {
    this.name = name;
    this.link = new Link(name, world);
    this.clock = new NodeClock(world, this.link);
    const { company, keyring, random } = installation;
    const { clock } = this;
    const db = databaseThrough(this.link);
    this.db = db;
    const revision = new RevisionService({ db, companyId: company.id, clock, others: true });
    const services = createServices({ db, company, revision, keyring, clock, random });
    const { audit } = services;
    const authnKeys = new AuthnKeysService({ db, companyId: company.id, clock, random, audit, revision });
    this.services = { ...services, authnKeys };
    this.died = new Promise((resolve) => {
      this.#die = resolve;
    });
  }

  crash(): void {
    this.link.alive = false;
    this.#die();
  }
}

/** The instant that is so long after the beginning of a run. */
export function instantAt(ms: number): Instant {
  return instantFromMs(Math.floor(beganMs + ms));
}

/** How long after the beginning of a run an instant is. */
export function msAt(instant: Instant): number {
  return Date.parse(instant) - beganMs;
}
