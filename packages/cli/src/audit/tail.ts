import type { AuditEvent } from "@sparekey/sdk";
import { connect, type GlobalOptions } from "../connection.ts";
import { print } from "../terminal.ts";
import { describeEvent } from "./event-line.ts";

export interface TailOptions extends GlobalOptions {
  lines: number;
  follow?: boolean;
}

export async function tailAudit(options: TailOptions): Promise<void> {
  const { audit } = connect(options);
  const show = (event: AuditEvent) => print(options.json ? JSON.stringify(event) : describeEvent(event));
  if (!options.follow) {
    const { events } = await audit.events({ last: options.lines });
    for (const event of events) show(event);
    return;
  }
  for await (const event of audit.follow({ last: options.lines })) show(event);
}
