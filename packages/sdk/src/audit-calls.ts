import type { AuditEvent, AuditPage, AuditQuery } from "@sparekey/contract";
import type { ServerUrls } from "./server-urls.ts";
import type { Send } from "./transport.ts";

const pageSize = 1_000;

/** Where to begin to follow the record, and what of it. */
export interface FollowAudit extends Pick<AuditQuery, "userId" | "action"> {
  /** Begin after this sequence number. Without it, begin with the newest `last` events. */
  after?: number;
  /** 0 unless given: only what happens from now on. At most 1,000. */
  last?: number;
  /** Pause between two looks when nothing is new, in milliseconds; 2,000 unless given. */
  pollIntervalMs?: number;
  /** Ends the generator once it has given what it already holds. */
  signal?: AbortSignal;
}

/** The audit record, oldest first. */
export interface AuditCalls {
  /** One page. Send its `cursor` as `after` to go on. */
  events(query?: AuditQuery): Promise<AuditPage>;
  /** Every event in order, for ever: polls, and ends only by `signal`, `break` or an error. */
  follow(options?: FollowAudit): AsyncGenerator<AuditEvent, void, void>;
}

export function createAuditCalls(send: Send, urls: ServerUrls, sleep: (ms: number) => Promise<void>): AuditCalls {
  async function events(query: AuditQuery = {}): Promise<AuditPage> {
    const search = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) search.set(name, String(value));
    }
    const url = `${urls.own}/audit/events`;
    return (await send<AuditPage>({ method: "GET", url: search.size === 0 ? url : `${url}?${search}` })).body;
  }

  async function* follow(options: FollowAudit = {}): AsyncGenerator<AuditEvent, void, void> {
    const { after, last = 0, pollIntervalMs = 2_000, signal, ...filter } = options;
    let page = await events(after === undefined ? { ...filter, last } : { ...filter, after, limit: pageSize });
    while (!signal?.aborted) {
      yield* page.events;
      if (page.events.length < pageSize) await sleep(pollIntervalMs);
      if (signal?.aborted) return;
      page = await events({ ...filter, after: page.cursor, limit: pageSize });
    }
  }

  return { events, follow };
}
