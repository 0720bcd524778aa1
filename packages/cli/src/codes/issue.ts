import type { IssueEmergencyCode, Lifetime } from "@sparekey/sdk";
import { connect, type GlobalOptions } from "../connection.ts";
import { findUser } from "../find-user.ts";
import { print, printJson } from "../terminal.ts";
import { describeIssuedCode } from "./issued-code.ts";

export interface IssueOptions extends GlobalOptions {
  days?: number;
  hours?: number;
  minutes?: number;
  oneTime?: boolean;
  reason?: string;
  ticket?: string;
  idempotencyKey?: string;
}

export async function issueCode(user: string, options: IssueOptions): Promise<void> {
  const client = connect(options);
  const { id, label } = await findUser(client, user);
  const { idempotencyKey } = options;
  const issued = await client.codes.issue(
    id,
    readRequest(options),
    idempotencyKey === undefined ? {} : { idempotencyKey },
  );
  if (options.json) return printJson(issued);
  print(describeIssuedCode(issued, label, idempotencyKey !== undefined));
}

function readRequest({ oneTime, reason, ticket, ...options }: IssueOptions): IssueEmergencyCode {
  const lifetime = readLifetime(options);
  return {
    ...(lifetime && { lifetime }),
    ...(oneTime !== undefined && { oneTime }),
    ...(reason !== undefined && { reason }),
    ...(ticket !== undefined && { ticket }),
  };
}

function readLifetime({ days, hours, minutes }: IssueOptions): Lifetime | undefined {
  if (days !== undefined) return { value: days, unit: "days" };
  if (hours !== undefined) return { value: hours, unit: "hours" };
  if (minutes !== undefined) return { value: minutes, unit: "minutes" };
  return undefined;
}
