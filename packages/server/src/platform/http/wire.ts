/** What a feature's routes are registered on: Fastify, typed from the schemas. */
import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import type { ErrorCode } from "@sparekey/contract";
import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from "fastify";

export type Wire = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression<RawServerDefault>,
  RawReplyDefaultExpression<RawServerDefault>,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

/** What went wrong with a request, as far as the client may know. */
export interface Failure {
  code: ErrorCode;
  status: number;
  /** What the code means in general. */
  title: string;
  /** What was wrong with this very request; the title when there is no more to say. */
  message: string;
  /** A word for what is wrong with the service itself. */
  reason?: string | undefined;
  path: string;
  requestId: string;
  epochMs: number;
}

/** How one wire shows a failure. */
export interface ErrorShape {
  contentType: string;
  render(failure: Failure): unknown;
}
