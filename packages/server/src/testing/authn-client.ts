/** A client of the vendor's Authentication API, as one is written in the field: it remembers the server's last message. */
import type { Answer, TestInstallation } from "./installation.ts";

export const methodId = "EMERGENCY_TOKENCODE";

/** A code as a credential. */
export const credential = (code: string) => ({ methodId, collectedInputs: [{ name: methodId, value: code }] });

export class AuthnClient {
  readonly #sparekey: TestInstallation;
  readonly #clientKey: string;
  #messages = 0;
  /** Of the latest attempt. */
  attemptId = "";
  /** The server's latest message. */
  messageId = "";

  constructor(sparekey: TestInstallation, clientKey = sparekey.clientKey) {
    this.#sparekey = sparekey;
    this.#clientKey = clientKey;
  }

  async initialize(subjectName: string, more: object = {}): Promise<Answer> {
    const context = { messageId: this.nextMessageId() };
    return this.#remember(await this.call("initialize", { subjectName, context, ...more }));
  }

  async verify(code: string, more: object = {}): Promise<Answer> {
    const body = { context: this.context(), subjectCredentials: [credential(code)], ...more };
    return this.#remember(await this.call("verify", body));
  }

  status(more: object = {}): Promise<Answer> {
    return this.call("status", { authnAttemptId: this.attemptId, ...more });
  }

  cancel(more: object = {}): Promise<Answer> {
    return this.call("cancel", { authnAttemptId: this.attemptId, ...more });
  }

  call(operation: string, body: unknown): Promise<Answer> {
    const headers = { "client-key": this.#clientKey };
    return this.#sparekey.call("POST", `/mfa/v1_1/authn/${operation}`, { body, headers });
  }

  /** The context of the next request of this attempt. */
  context() {
    return { authnAttemptId: this.attemptId, messageId: this.nextMessageId(), inResponseTo: this.messageId };
  }

  nextMessageId(): string {
    this.#messages += 1;
    return `message ${this.#messages}`;
  }

  #remember(answer: Answer): Answer {
    const { authnAttemptId, messageId } = answer.body.context ?? {};
    if (answer.status === 200) Object.assign(this, { attemptId: authnAttemptId, messageId });
    return answer;
  }
}
