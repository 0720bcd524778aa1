/** One measurement: load on servers, and what it cost them, their database and the load itself. */
import { closedLoop, openLoop } from "./load.ts";
import type { Exchange, Latency } from "./tally.ts";

/** CPU seconds since each began. */
export interface CpuSeconds {
  servers: number;
  /** PostgreSQL with all its processes; 0 for SQLite, which is part of the server. */
  postgres: number;
  load: number;
}

export interface Target {
  ports: number[];
  cpuSeconds(): Omit<CpuSeconds, "load">;
  /** Resident memory of the servers together, MiB. */
  memoryMiB(): number;
}

export interface Sample {
  connections: number;
  answers: number;
  seconds: number;
  /** Answers a second. */
  rate: number;
  latencyMs: Latency;
  /** How often what went wrong; empty when all went well. */
  failures: Record<string, number>;
  cpuSeconds: CpuSeconds;
  memoryMiB: number;
}

export interface LoadPlan {
  connections: number;
  seconds: number;
  /** How long the load lasts before the measured time begins; 0 unless given. */
  settleSeconds?: number;
  next(): Exchange;
  signal: AbortSignal;
  /** Requests a second whatever the answers do; without it, each connection sends when it is answered. */
  rate?: number;
}

export async function measure(target: Target, plan: LoadPlan): Promise<Sample> {
  const { rate, connections, seconds } = plan;
  const meter = new Meter(target);
  const load = { ...plan, ports: target.ports, onBegin: () => meter.begin(), onEnd: () => meter.end() };
  const tally = await (rate === undefined ? closedLoop(load) : openLoop({ ...load, rate }));
  const cpuSeconds = meter.end();
  const { answers, failures } = tally;
  const latencyMs = tally.latency();
  const memoryMiB = target.memoryMiB();
  return { connections, answers, seconds, rate: answers / seconds, latencyMs, failures, cpuSeconds, memoryMiB };
}

/** CPU per answer, in microseconds. */
export function cpuPerAnswer({ answers, cpuSeconds }: Sample): CpuSeconds {
  const { servers, postgres, load } = cpuSeconds;
  const perAnswer = (seconds: number) => (seconds * 1e6) / answers;
  return { servers: perAnswer(servers), postgres: perAnswer(postgres), load: perAnswer(load) };
}

class Meter {
  readonly #target: Target;
  #before: CpuSeconds = { servers: 0, postgres: 0, load: 0 };
  #spent: CpuSeconds | undefined;

  constructor(target: Target) {
    this.#target = target;
  }

  begin() {
    this.#before = this.#read();
  }

  /** The first end counts: what comes after it is only waited for. */
  end(): CpuSeconds {
    if (this.#spent !== undefined) return this.#spent;
    const [now, before] = [this.#read(), this.#before];
    this.#spent = {
      servers: now.servers - before.servers,
      postgres: now.postgres - before.postgres,
      load: now.load - before.load,
    };
    return this.#spent;
  }

  #read(): CpuSeconds {
    const { user, system } = process.cpuUsage();
    return { ...this.#target.cpuSeconds(), load: (user + system) / 1e6 };
  }
}
