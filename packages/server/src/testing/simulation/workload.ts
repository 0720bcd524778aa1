/** Who calls what, in bursts with pauses between them, and what goes wrong meanwhile. */
import * as administration from "./administration.ts";
import type { Callers } from "./callers.ts";
import type { HistoryCall } from "./history.ts";
import type { SimulatedNode } from "./node.ts";
import type { Trouble } from "./trouble.ts";
import type { Typing } from "./verifications.ts";
import * as verifications from "./verifications.ts";

type Action =
  | "verify"
  | "oneCall"
  | "begin"
  | "goOn"
  | "cancel"
  | "clean"
  | "issue"
  | "revoke"
  | "unlock"
  | "enable"
  | "disable"
  | "settings"
  | "replaceKey";

interface Theme {
  actions: Partial<Record<Action, number>>;
  typing: Partial<Record<Typing, number>>;
}

const anything: Record<Action, number> = {
  ...{ verify: 30, oneCall: 8, begin: 6, goOn: 14, cancel: 2, clean: 1 },
  ...{ issue: 12, revoke: 5, unlock: 5, enable: 5, disable: 4, settings: 4, replaceKey: 4 },
};
const typings = { right: 45, old: 8, wrong: 32, slip: 7, foreign: 8 };

const themes = {
  anything: { actions: anything, typing: typings },
  /** Everybody has the code. */
  rush: { actions: { verify: 12, oneCall: 4, begin: 1, goOn: 4, issue: 1 }, typing: { right: 95, wrong: 5 } },
  /** Somebody tries codes, and knows the right one in the end. */
  guessing: {
    actions: { verify: 14, oneCall: 2, begin: 2, goOn: 5, unlock: 1, issue: 1, settings: 1 },
    typing: { wrong: 80, right: 15, slip: 5 },
  },
  /** Codes end while they are used. */
  endings: {
    actions: { verify: 12, goOn: 3, issue: 4, revoke: 4, disable: 4, enable: 5 },
    typing: { right: 70, old: 30 },
  },
  /** What nodes remember changes under them. */
  changes: { actions: { verify: 12, oneCall: 4, begin: 2, goOn: 2, settings: 4, replaceKey: 3 }, typing: typings },
} satisfies Record<string, Theme>;

/** How long the callers of a burst wait for each other before the next one begins. */
const patienceMs = 20_000;

/** Everything of a run after its beginning. */
export async function work(callers: Callers, trouble: Trouble, calls: number): Promise<void> {
  const { world, dice } = callers;
  const { scheduler } = world;
  const stragglers: Promise<void>[] = [];
  for (let left = calls; left > 0; ) {
    const size = Math.min(left, 4 + dice.below(20));
    left -= size;
    trouble.brew();
    const over = burst(callers, size);
    stragglers.push(over);
    await Promise.race([over, scheduler.sleep(patienceMs)]);
    await scheduler.sleep(pauseMs(callers));
  }
  await Promise.all(stragglers);
}

async function burst(callers: Callers, size: number): Promise<void> {
  const { world, dice, users } = callers;
  const theme: Theme = themes[dice.pick(Object.keys(themes) as (keyof typeof themes)[])];
  const focus = dice.pick(users).id;
  const thinkMs = dice.pick([0, 2, 300]);
  let left = size;
  if (dice.chance(0.6)) {
    await administration.enable(callers, dice.pick(callers.nodes), focus);
    await administration.issue(callers, dice.pick(callers.nodes), focus, dice.chance(0.5));
    left -= 2;
  }
  const callOnAndOn = async () => {
    await world.scheduler.sleep(dice.between(0, 3));
    while (left-- > 0) {
      const userId = dice.chance(0.8) ? focus : dice.pick(users).id;
      await act(callers, dice.weighted(theme.actions), userId, dice.weighted(theme.typing));
      await world.scheduler.sleep(dice.between(0, thinkMs));
    }
  };
  await Promise.all(Array.from({ length: 2 + dice.below(7) }, callOnAndOn));
}

async function act(callers: Callers, action: Action, userId: string, typing: Typing): Promise<void> {
  const { dice } = callers;
  const node = dice.pick(callers.nodes);
  const call = actions[action](callers, node, userId, typing);
  await call;
}

type Act = (callers: Callers, node: SimulatedNode, userId: string, typing: Typing) => Promise<HistoryCall | undefined>;

const actions: Record<Action, Act> = {
  verify: (callers, node, userId, typing) => verifications.verify(callers, node, someUser(callers, userId), typing),
  oneCall: verifications.beginAttempt,
  begin: (callers, node, userId) => verifications.beginAttempt(callers, node, userId, undefined),
  goOn: async (callers, node, userId, typing) => {
    const attempt = someAttempt(callers, userId);
    if (attempt === undefined) return verifications.beginAttempt(callers, node, userId, undefined);
    return verifications.verifyAttempt(callers, node, attempt, typing);
  },
  cancel: async (callers, node, userId) => {
    const attempt = someAttempt(callers, userId);
    return attempt && verifications.cancelAttempt(callers, node, attempt);
  },
  clean: verifications.removeExpiredAttempts,
  issue: (callers, node, userId) =>
    administration.issue(callers, node, userId, callers.dice.pick([true, false, undefined])),
  revoke: administration.revoke,
  unlock: administration.unlock,
  enable: administration.enable,
  disable: administration.disable,
  settings: (callers, node) => administration.changeSettings(callers, node, administration.anyChange(callers.dice)),
  replaceKey: async (callers, node) => {
    const { keys, dice } = callers;
    await administration.createKey(callers, node);
    if (keys.length < 3) return undefined;
    const key = dice.pick(keys.slice(0, -1));
    const deleted = await administration.deleteKey(callers, dice.pick(callers.nodes), key.id);
    // Long enough on the list for its bearer to be turned away.
    if (keys.length > 4) keys.shift();
    return deleted;
  },
};

function someUser({ dice }: Callers, userId: string): string {
  return dice.chance(0.03) ? "nobody" : userId;
}

function someAttempt({ attempts, dice }: Callers, userId: string) {
  const own = attempts.filter((attempt) => attempt.userId === userId).slice(-3);
  return own.length === 0 ? undefined : dice.pick(own);
}

/** Often until just about when a code expires or a lock ends. */
function pauseMs({ world, dice, codes }: Callers): number {
  const { nowMs } = world.scheduler;
  const kind = dice.weighted({ none: 4, short: 3, expiry: 2, lock: 2, long: 1 });
  if (kind === "none") return dice.between(0, 50);
  if (kind === "short") return dice.between(500, 3_000);
  if (kind === "long") return dice.between(60_000, 10 * 24 * 3_600_000);
  const endsInMs =
    kind === "lock" ? dice.pick([1, 30]) * 60_000 : dice.pick(codes.map((code) => code.expiresAtMs).concat(0)) - nowMs;
  return Math.max(0, endsInMs + dice.between(-1_000, 1_000));
}
