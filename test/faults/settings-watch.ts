/** A setting that changes all the time: what was acknowledged holds on every node, and is never gone. */
import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import type { ApiCaller } from "../api-caller.ts";
import type { Chance } from "../crash/load.ts";
import { Unanswered } from "./transport.ts";

export class SettingsWatch {
  readonly #any: (roll: number) => ApiCaller | undefined;
  readonly #chance: Chance;
  /** What the setting may be: one value, or two after a change that was not answered. */
  #possible = new Set([30]);
  #next = 31;
  #isPaused = false;
  #turn: Promise<void> = Promise.resolve();
  acknowledged = 0;
  readonly findings: string[] = [];

  constructor(any: (roll: number) => ApiCaller | undefined, chance: Chance) {
    this.#any = any;
    this.#chance = chance;
    void (async () => {
      while (true) {
        if (!this.#isPaused) {
          this.#turn = this.#change().catch((error: unknown) => {
            if (!(error instanceof Unanswered)) this.findings.push(String(error));
          });
          await this.#turn;
        }
        await delay(20);
      }
    })();
  }

  async pause(): Promise<void> {
    this.#isPaused = true;
    await this.#turn;
  }

  resume() {
    this.#isPaused = false;
  }

  /** While nothing changes: every node says the same, and what was acknowledged. */
  async check(callers: ApiCaller[]): Promise<void> {
    const seen = await Promise.all(
      callers.map(async ({ admin }) => (await admin("GET", "/api/v1/settings")).body.lockout.lockMinutes),
    );
    assert.equal(new Set(seen).size, 1, `nodes differ: ${seen}`);
    assert.ok(this.#possible.has(seen[0]), `the setting is ${seen[0]}, acknowledged was ${[...this.#possible]}`);
    this.#possible = new Set(seen);
  }

  async #change() {
    const [reader, writer] = [this.#any(this.#chance()), this.#any(this.#chance())];
    if (reader === undefined || writer === undefined) return;
    const { status, body, headers } = await reader.admin("GET", "/api/v1/settings");
    if (status !== 200) return;
    assert.ok(
      this.#possible.has(body.lockout.lockMinutes),
      `read ${body.lockout.lockMinutes}, acknowledged was ${[...this.#possible]}`,
    );
    const lockMinutes = this.#next++;
    this.#possible.add(lockMinutes);
    const changed = { ...body, lockout: { ...body.lockout, lockMinutes } };
    const answer = await writer.admin("PUT", "/api/v1/settings", changed, { "if-match": headers.get("etag") ?? "" });
    // 412: one that got no answer has come to pass after all. Whatever came before it cannot come any more.
    if (answer.status === 412) this.#possible.delete(lockMinutes);
    else if (answer.status === 200) {
      this.#possible = new Set([lockMinutes]);
      this.acknowledged += 1;
    } else assert.equal(answer.status, 503, answer.text);
  }
}
