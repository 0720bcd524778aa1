/** JSON lines on standard output, without credentials. */
import { type DestinationStream, type Logger, pino } from "pino";

export type Log = Logger;

/** Paths that could carry a credential if somebody logged a whole request by mistake. */
const redacted = [
  "authorization",
  "code",
  "password",
  "accessKey",
  '["client-key"]',
  '["idempotency-key"]',
  "headers.authorization",
  'headers["client-key"]',
  'headers["idempotency-key"]',
  "body",
  "req.headers.authorization",
  'req.headers["client-key"]',
  'req.headers["idempotency-key"]',
  "req.body",
];

export function createLog(level: string, destination?: DestinationStream): Log {
  const options = {
    level,
    base: { service: "sparekey" },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: redacted, censor: "[redacted]" },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}
