/**
 * A network that fails on demand: a proxy on loopback in front of a server's port.
 *
 * It can lose everything at once, be slow, deliver nothing for a while, or break a connection at a chosen point: before
 * a request gets through, or after the server has done what was asked and before anybody hears of it.
 */
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/**
 * What becomes of bytes that a client sent. `forward-then-cut` lets the server have them, waits until it answers, and
 * cuts the connection instead of forwarding the answer. A number lets so many of them through before the cut.
 */
export type Verdict = "forward" | "cut" | "forward-then-cut" | number;

/** Bytes as they happen to arrive: a message can be split, and two can come together. */
export type DataRule<Answer> = (chunk: Buffer) => Answer;

export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const proxy = new TcpProxy(targetPort);
  await proxy.listen();
  return proxy;
}

export class TcpProxy {
  /** Asked about everything that a client sends; may be set at any time, and holds for open connections too. */
  onClientData: DataRule<Verdict> = () => "forward";
  /** The same for what the server answers. */
  onServerData: DataRule<Exclude<Verdict, "forward-then-cut">> = () => "forward";
  /** Where new connections lead, as an address does that moves to another machine. Open ones stay as they are. */
  targetPort: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #delayMs = 0;
  #open: Promise<void> = Promise.resolve();
  #release = () => {};

  constructor(targetPort: number) {
    this.targetPort = targetPort;
    this.#server = createServer({ allowHalfOpen: true }, (client) => this.#accept(client));
  }

  async listen(): Promise<void> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  /** A URL of the server that leads through the proxy. */
  through(url: string): string {
    const proxied = new URL(url);
    proxied.port = String(this.port);
    return proxied.href;
  }

  /** Breaks every connection. New ones are accepted as before. */
  cut() {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Delivers nothing in either direction until `release()`. Connections stay open, and new ones are accepted. */
  hold() {
    this.#open = new Promise((resolve) => {
      this.#release = resolve;
    });
  }

  release() {
    this.#release();
  }

  /** Keeps everything back for so long, in each direction. 0 ends it. */
  delay(ms: number) {
    this.#delayMs = ms;
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    this.release();
    const closed = once(this.#server, "close");
    this.#server.close();
    this.cut();
    await closed;
  }

  #accept(client: Socket) {
    const server = connect({ port: this.targetPort, host: "127.0.0.1", allowHalfOpen: true });
    let cutOnAnswer = false;
    const cut = () => {
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) {
      socket.setNoDelay();
      this.#sockets.add(socket);
      socket.on("error", cut).on("close", () => {
        this.#sockets.delete(socket);
        // One side that is lost, rather than ended in order, takes the other along.
        if (!socket.readableEnded || !socket.writableFinished) cut();
      });
    }

    const decide = (chunk: Buffer): Verdict => {
      const verdict = this.onClientData(chunk);
      if (verdict === "forward-then-cut") cutOnAnswer = true;
      return verdict;
    };
    this.#pump(client, server, decide).catch(cut);
    this.#pump(server, client, (chunk) => (cutOnAnswer ? "cut" : this.onServerData(chunk))).catch(cut);
  }

  async #pump(from: Socket, to: Socket, decide: (chunk: Buffer) => Verdict): Promise<void> {
    for await (const chunk of from as AsyncIterable<Buffer>) {
      if (this.#delayMs > 0) await sleep(this.#delayMs);
      await this.#open;
      const verdict = decide(chunk);
      if (verdict === "cut" || typeof verdict === "number") {
        if (typeof verdict === "number") await sendAll(to, chunk.subarray(0, verdict));
        from.destroy();
        to.destroy();
        return;
      }
      if (!to.write(chunk)) await once(to, "drain");
    }
    to.end();
  }
}

/** Resolves once the system has the bytes, so that a cut does not take them along. */
function sendAll(to: Socket, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => to.write(bytes, () => resolve()));
}
