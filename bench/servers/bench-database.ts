/** Everything that runs on one kind of database: its server if it has one, and subjects by their number of users. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type PostgresServer, startPostgres } from "../../packages/server/src/testing/postgres/server.ts";
import type { Closing } from "../closing.ts";
import type { DatabaseKind } from "../options.ts";
import { whole } from "../report/numbers.ts";
import { pinPostgres } from "./cores.ts";
import { Subject, type SubjectOptions } from "./subject.ts";

interface Parts extends Pick<SubjectOptions, "directory" | "profile" | "signal" | "quick"> {
  kind: DatabaseKind;
  /** How many of its server processes are ever needed, by the number of users. */
  processes: Map<number, number>;
  closing: Closing;
}

export class BenchDatabase {
  readonly kind: DatabaseKind;
  /** As in `18.4`; undefined for SQLite. */
  readonly postgresVersion: string | undefined;
  readonly #subjects: Map<number, Subject>;

  private constructor(kind: DatabaseKind, postgresVersion: string | undefined, subjects: Map<number, Subject>) {
    this.kind = kind;
    this.postgresVersion = postgresVersion;
    this.#subjects = subjects;
  }

  static async start(parts: Parts): Promise<BenchDatabase> {
    const { kind, closing, processes, directory, ...options } = parts;
    const server = kind === "postgres" ? await startPostgres({ durable: true }) : undefined;
    if (server !== undefined) closing.add(() => server.stop());
    const postgres = server && { server, pid: pidOf(server) };
    const beganMs = performance.now();
    console.error(`preparing ${kind} with ${[...processes.keys()].map(whole).join(" and ")} users`);
    const subjects = await Promise.all(
      [...processes].map(([users, count]) =>
        Subject.prepare({
          ...options,
          ...{ postgres, users, processes: count, directory: join(directory, `${kind}-${users}`) },
        }),
      ),
    );
    console.error(`${endOfProgress}prepared in ${((performance.now() - beganMs) / 1_000).toFixed(1)} s`);
    for (const subject of subjects) {
      closing.add(() => subject.stop());
      // One after the other: how long a start takes is a figure.
      await subject.start();
    }
    if (postgres !== undefined) pinPostgres(postgres.pid);
    return new BenchDatabase(
      kind,
      server?.version,
      new Map([...processes.keys()].map((users, at) => [users, subjects[at] as Subject])),
    );
  }

  subject(users: number): Subject {
    const subject = this.#subjects.get(users);
    if (subject === undefined) throw new Error(`nothing was prepared for ${users} users`);
    return subject;
  }
}

const endOfProgress = process.stderr.isTTY ? "\r\u001b[K" : "";

function pidOf({ dataDirectory }: PostgresServer): number {
  return Number(readFileSync(join(dataDirectory, "postmaster.pid"), "utf8").split("\n")[0]);
}
