/** What goes wrong besides single calls: nodes that die, are cut off, or whose time of day moves. */
import type { Dice } from "./dice.ts";
import type { Blocked } from "./history.ts";
import type { World } from "./link.ts";
import type { SimulatedNode } from "./node.ts";

export interface Trouble {
  /** Something may go wrong within the next seconds. */
  brew(): void;
  /** Ends it all; what was cut off is connected again. */
  stop(): void;
}

/** `nodes` are those that are alive; a dead one is replaced by what `start` answers. */
export function makeTrouble(world: World, dice: Dice, nodes: SimulatedNode[], start: () => SimulatedNode): Trouble {
  const { scheduler, weather } = world;
  let stopped = false;
  const kinds = { clock: 2, ...(weather.crashes && { crash: 1 }), ...(weather.outages && { outage: 2 }) };
  function strike() {
    if (stopped) return;
    const place = dice.below(nodes.length);
    const node = nodes[place] as SimulatedNode;
    const kind = dice.weighted<"clock" | "crash" | "outage">(kinds);
    if (kind === "clock") node.clock.step();
    if (kind === "outage") cutOff(world, dice, node);
    if (kind === "crash") {
      node.crash();
      nodes[place] = start();
    }
  }
  return {
    brew: () => {
      for (let strikes = dice.below(4); strikes > 0; strikes--)
        scheduler.after(dice.between(0, dice.pick([20, 5_000])), strike);
    },
    stop: () => {
      stopped = true;
      for (const { link } of nodes) link.mend();
    },
  };
}

/** A second cut takes the place of the first. */
function cutOff({ scheduler, history }: World, dice: Dice, { link, name }: SimulatedNode) {
  link.mend();
  const blocked = dice.pick<Blocked>(["everything", "reads", "writes", "revision"]);
  const outage = { node: name, blocked, fromMs: scheduler.nowMs, toMs: Number.POSITIVE_INFINITY };
  history.outages.push(outage);
  const mend = () => {
    if (link.mend !== mend) return;
    outage.toMs = scheduler.nowMs;
    link.blocked = "nothing";
    link.mend = () => {};
  };
  Object.assign(link, { blocked, mend });
  scheduler.after(dice.between(200, 6_000), mend);
}
