/** What never became a request: broken HTTP, floods of headers, bodies that do not arrive. */
import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { type ErrorCode, errorCodes } from "@sparekey/contract";
import type { ConnectionError } from "fastify";
import { vendorShape } from "./error-shapes.ts";

const codeOf: Record<string, ErrorCode> = {
  HPE_HEADER_OVERFLOW: "headers_too_large",
  ERR_HTTP_REQUEST_TIMEOUT: "request_timeout",
};

/** Answers on the raw socket, in the vendor's shape since no route is known, and closes it. */
export function answerClientError(error: ConnectionError, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const code = codeOf[error.code] ?? "malformed_request";
  const { status, title } = errorCodes[code];
  const failure = { code, status, title, message: title, path: "", requestId: "", epochMs: 0 };
  const body = JSON.stringify(vendorShape.render(failure));
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: ${vendorShape.contentType}\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\ncache-control: no-store\r\nconnection: close\r\n\r\n${body}`,
  );
}
