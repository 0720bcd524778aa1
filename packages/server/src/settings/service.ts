/** The company's settings, with a version that every reader can name. */
import { lifetimeMinutes, maxLifetimeMinutes, type Settings, type SettingsLint } from "@sparekey/contract";
import type { AuditService } from "../audit/service.ts";
import type { Clock } from "../platform/clock.ts";
import type { Database } from "../platform/database/database.ts";
import { Refusal } from "../platform/refusal.ts";
import type { Call } from "../principal.ts";
import type { Connection, Tables } from "../schema/tables.ts";
import { lintSettings } from "./lint.ts";
import { getSettings, insertSettings, replaceSettings } from "./store.ts";

export { settingsOf } from "./profiles.ts";

export interface VersionedSettings {
  version: number;
  settings: Settings;
}

/** Runs in the unit of work that changes the settings, for features whose rows depend on one. */
export type SettingsChanged = (trx: Connection, call: Call, before: Settings, after: Settings) => Promise<void>;

interface Dependencies {
  db: Database<Tables>;
  companyId: string;
  clock: Clock;
  audit: AuditService;
  onChange: SettingsChanged;
}

const recentMs = 1_000;

export class SettingsService {
  readonly #with: Dependencies;
  #recent: (VersionedSettings & { readAtMs: number }) | undefined;
  #parsed: (VersionedSettings & { json: string }) | undefined;

  constructor(dependencies: Dependencies) {
    this.#with = dependencies;
  }

  current(): Promise<VersionedSettings> {
    return this.currentIn(this.#with.db.read);
  }

  /**
   * The settings as this process last saw them, a second old at the most: for what may lag behind another
   * node by that much, such as a rate limit. A change made here is seen at once.
   */
  async recent(): Promise<Settings> {
    const nowMs = this.#with.clock.monotonicMs();
    if (this.#recent === undefined || nowMs - this.#recent.readAtMs > recentMs) {
      const { settings, version } = await this.current();
      this.#keepRecent({ settings, version, readAtMs: nowMs });
    }
    return (this.#recent as VersionedSettings).settings;
  }

  /** The settings that hold in a unit of work: for a decision that a change must not overtake. */
  async currentIn(trx: Connection): Promise<VersionedSettings> {
    // Read every time, since another node may have changed them, and parsed once. The text is compared as well:
    // a unit may see a version that is then never committed, and another text takes its number.
    const { version, value: json } = await getSettings(trx, this.#with.companyId);
    if (this.#parsed?.version === version && this.#parsed.json === json) return this.#parsed;
    this.#parsed = { version, json, settings: JSON.parse(json) as Settings };
    return this.#parsed;
  }

  /** Replaces them if they still are at `version`; else refuses with `settings_changed`. */
  async replace(call: Call, version: number, settings: Settings): Promise<VersionedSettings> {
    const { db, companyId, clock, audit, onChange } = this.#with;
    checkLifetime(settings);
    const before = await this.current();
    const replaced = await db.write(async (trx) => {
      const next = await replaceSettings(trx, companyId, { version, value: JSON.stringify(settings) }, clock.now());
      // The version is in the statement's condition, so what was read before is what is being replaced.
      if (next === undefined || before.version !== version) throw new Refusal("settings_changed");
      await onChange(trx, call, before.settings, settings);
      await audit.record(trx, call, {
        action: "settings.changed",
        details: { from: JSON.stringify(before.settings), to: JSON.stringify(settings), settingsVersion: next },
      });
      return { version: next, settings };
    });
    this.#keepRecent({ ...replaced, readAtMs: clock.monotonicMs() });
    return replaced;
  }

  /** A read that was under way while the settings changed must not bring the old ones back. */
  #keepRecent(read: VersionedSettings & { readAtMs: number }) {
    if (this.#recent === undefined || this.#recent.version <= read.version) this.#recent = read;
  }

  async lint(): Promise<SettingsLint> {
    const { version, settings } = await this.current();
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
