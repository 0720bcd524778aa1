/** The company's settings, with a version that every reader can name. */
import { lifetimeMinutes, maxLifetimeMinutes, type Settings, type SettingsLint } from "@sparekey/contract";
import type { AuditService } from "../audit/service.ts";
import type { Clock } from "../platform/clock.ts";
import type { Database } from "../platform/database/database.ts";
import { Refusal } from "../platform/refusal.ts";
import type { Call } from "../principal.ts";
import { LeaseOver, type RevisionService } from "../revision/service.ts";
import type { Connection, Tables } from "../schema/tables.ts";
import { lintSettings } from "./lint.ts";
import { getSettings, insertSettings, replaceSettings } from "./store.ts";

export { settingsOf } from "./profiles.ts";

export interface VersionedSettings {
  version: number;
  settings: Settings;
}

interface Dependencies {
  db: Database<Tables>;
  companyId: string;
  clock: Clock;
  audit: AuditService;
  revision: RevisionService;
}

export class SettingsService {
  readonly #with: Dependencies;
  #known: (VersionedSettings & { revision: number }) | undefined;

  constructor(dependencies: Dependencies) {
    this.#with = dependencies;
  }

  /** The settings that hold, from memory for as long as their revision does. */
  async current(): Promise<VersionedSettings> {
    const revision = await this.#with.revision.current();
    if (this.#known?.revision === revision) return this.#known;
    const read = await this.latest();
    // A read that was under way while the settings changed must not bring the old ones back.
    if (this.#known === undefined || this.#known.version <= read.version) this.#known = { ...read, revision };
    return this.#known;
  }

  /** The same at the moment of a decision, which can wait for nobody. Throws `LeaseOver` when it is to be begun again. */
  known(): VersionedSettings {
    if (this.#known?.revision !== this.#with.revision.held()) throw new LeaseOver();
    return this.#known;
  }

  /** The settings as they are in the database, for those who are about to change them. */
  async latest(): Promise<VersionedSettings> {
    const { db, companyId } = this.#with;
    const { version, value } = await getSettings(db.read, companyId);
    return { version, settings: JSON.parse(value) as Settings };
  }

  /** Replaces them if they still are at `version`; else refuses with `settings_changed`. */
  async replace(call: Call, version: number, settings: Settings): Promise<VersionedSettings> {
    const { db, companyId, clock, audit, revision } = this.#with;
    checkLifetime(settings);
    const before = await this.latest();
    const replaced = await db.write(async (trx) => {
      const next = await replaceSettings(trx, companyId, { version, value: JSON.stringify(settings) }, clock.now());
      // The version is in the statement's condition, so what was read before is what is being replaced.
      if (next === undefined || before.version !== version) throw new Refusal("settings_changed");
      await audit.record(trx, call, {
        action: "settings.changed",
        details: { from: JSON.stringify(before.settings), to: JSON.stringify(settings), settingsVersion: next },
      });
      await revision.raise(trx);
      return { version: next, settings };
    });
    await revision.settle();
    await this.current();
    return replaced;
  }

  async lint(): Promise<SettingsLint> {
    const { version, settings } = await this.latest();
    return { version, findings: lintSettings(settings) };
  }
}

/** Writes the first settings, in the unit of work that makes the installation. */
export async function createSettings(trx: Connection, companyId: string, settings: Settings, clock: Clock) {
  await insertSettings(trx, companyId, JSON.stringify(settings), clock.now());
}

function checkLifetime({ onlineEmergencyCode: { expiryUnit, expiryValue } }: Settings) {
  if (lifetimeMinutes({ unit: expiryUnit, value: expiryValue }) > maxLifetimeMinutes) {
    throw new Refusal("invalid_expiration", { answer: "onlineEmergencyCode must not last longer than 7 days." });
  }
}
