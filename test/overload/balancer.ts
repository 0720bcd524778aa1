/**
 * The smallest load balancer that does it right: it asks every node whether it is ready, gives requests to those in
 * turn over connections that it keeps, and hands every failure on to its client. It never tries again.
 */
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface Node {
  url: string;
  ready: boolean;
}

export interface Balancer {
  url: string;
  /** Nodes come and go; `ready` is kept up to date. */
  nodes: Node[];
  close(): void;
}

const askEveryMs = 100;

export async function startBalancer(urls: string[]): Promise<Balancer> {
  const nodes: Node[] = urls.map((url) => ({ url, ready: true }));
  const agent = new Agent({ keepAlive: true });
  let turn = 0;
  const server = createServer((incoming, outgoing) => {
    const ready = nodes.filter((node) => node.ready);
    const node = ready[turn++ % ready.length];
    if (node === undefined) outgoing.writeHead(502).end("no node is ready");
    else forward(node, agent, incoming, outgoing);
  });
  // Clients that are idle for longer than this are none of this test.
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const timer = setInterval(() => void Promise.all(nodes.map(ask)), askEveryMs);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    nodes,
    close: () => {
      clearInterval(timer);
      server.close();
      server.closeAllConnections();
      agent.destroy();
    },
  };
}

async function ask(node: Node) {
  node.ready = await fetch(`${node.url}/readyz`).then(
    async (answer) => {
      await answer.text();
      return answer.ok;
    },
    () => false,
  );
}

function forward({ url }: Node, agent: Agent, incoming: IncomingMessage, outgoing: ServerResponse) {
  const { method, headers } = incoming;
  // The connection is each side's own matter.
  const { connection: _, host: __, ...passed } = headers;
  const sent = request(url + incoming.url, { agent, method, headers: passed }, (answer) => {
    const { connection: ___, "keep-alive": ____, ...back } = answer.headers;
    outgoing.writeHead(answer.statusCode ?? 502, back);
    answer.pipe(outgoing);
  });
  sent.on("error", (error) => {
    if (!outgoing.headersSent) outgoing.writeHead(502);
    outgoing.end(`${url}: ${error.message}`);
  });
  incoming.pipe(sent);
}
