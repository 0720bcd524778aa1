/** A real HTTP server on loopback that stands in for Sparekey: a table of routes and their answers. */
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

export interface FakeRequest {
  /** `GET /api/v1/settings`. */
  route: string;
  headers: IncomingMessage["headers"];
  body: unknown;
}

export interface FakeAnswer {
  status?: number;
  headers?: Record<string, string>;
  body?: unknown;
}

/** Answers by `METHOD /path`, the query left out. A route that is not there is 404. */
export type FakeRoutes = Record<string, FakeAnswer | ((request: FakeRequest) => FakeAnswer)>;

export interface FakeServer extends AsyncDisposable {
  url: string;
  requests: FakeRequest[];
}

export async function startFakeServer(routes: FakeRoutes): Promise<FakeServer> {
  const requests: FakeRequest[] = [];
  const server = createServer(async (incoming, response) => {
    let text = "";
    for await (const chunk of incoming) text += chunk;
    const route = `${incoming.method} ${incoming.url}`;
    const request = { route, headers: incoming.headers, body: text === "" ? undefined : JSON.parse(text) };
    requests.push(request);
    const found = routes[route.split("?")[0] ?? ""] ?? problem(404, "route_not_found", "No such resource.");
    const { status = 200, headers = {}, body } = typeof found === "function" ? found(request) : found;
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(body === undefined ? undefined : JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A refusal of Sparekey's own API. */
export function problem(status: number, code: string, title: string, detail?: string): FakeAnswer {
  const body = { type: `urn:sparekey:error:${code}`, title, status, code, detail, requestId: "req-1" };
  return { status, body };
}
