/**
 * One connection that is kept, with one request under way at a time: as much of HTTP/1.1 as the servers of the bench speak.
 *
 * The load shares the machine with what it measures. A general client would spend more on a request than the server does.
 */
import { connect, type Socket } from "node:net";

/** Undefined when the connection was lost before the answer was complete. */
export type OnAnswer = (answer: { status: number; body: string } | undefined) => void;

const endOfHead = "\r\n\r\n";

export class HttpConnection {
  readonly #socket: Socket;
  #received = "";
  #onAnswer: OnAnswer | undefined;

  static async open(port: number): Promise<HttpConnection> {
    const socket = connect({ host: "127.0.0.1", port, noDelay: true });
    await new Promise<void>((resolve, reject) => socket.once("connect", resolve).once("error", reject));
    return new HttpConnection(socket);
  }

  private constructor(socket: Socket) {
    this.#socket = socket;
    // Every byte is one character, so that lengths are those of the wire.
    socket.setEncoding("latin1");
    socket.on("data", (text: unknown) => this.#read(text as string));
    socket.on("error", () => {}).on("close", () => this.#answer(undefined));
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed;
  }

  send(request: string, onAnswer: OnAnswer) {
    this.#onAnswer = onAnswer;
    if (this.isOpen) this.#socket.write(request, "latin1");
    else this.#answer(undefined);
  }

  close() {
    this.#socket.destroy();
  }

  #read(text: string) {
    this.#received += text;
    const head = this.#received.indexOf(endOfHead);
    if (head === -1) return;
    const length = /\ncontent-length: (\d+)/i.exec(this.#received)?.[1];
    // The servers answer with a length. Anything else is not an answer of theirs.
    if (length === undefined) return this.close();
    const [begin, end] = [head + endOfHead.length, head + endOfHead.length + Number(length)];
    if (this.#received.length < end) return;
    const status = Number(this.#received.slice(9, 12));
    const body = this.#received.slice(begin, end);
    this.#received = this.#received.slice(end);
    this.#answer({ status, body });
  }

  #answer(answer: Parameters<OnAnswer>[0]) {
    const onAnswer = this.#onAnswer;
    this.#onAnswer = undefined;
    onAnswer?.(answer);
  }
}
