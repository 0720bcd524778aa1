/** The Authentication API: attempts, in which a user has a few tries to present an emergency code. */
import type {
  AttemptResponseCode,
  AuthnAnswer,
  AuthnCancel,
  AuthnInitialize,
  AuthnStatus,
  AuthnStatusAnswer,
  AuthnVerify,
  SubjectCredential,
} from "@sparekey/contract";
import type { EmergencyCodesService } from "../emergency-codes/service.ts";
import type { Keyring } from "../keyring/service.ts";
import { answerOnTheBeat } from "../platform/answer-time.ts";
import { addMs, type Clock } from "../platform/clock.ts";
import type { Database } from "../platform/database/database.ts";
import type { Random } from "../platform/random.ts";
import { Refusal } from "../platform/refusal.ts";
import type { AuthenticationClient, Call } from "../principal.ts";
import type { Connection, Tables } from "../schema/tables.ts";
import type { SettingsService } from "../settings/service.ts";
import { answerFor, methodId, type Situation } from "./messages.ts";
import * as store from "./store.ts";
import { openSubject, type Subject, sealSubject } from "./subject.ts";

interface Dependencies {
  db: Database<Tables>;
  companyId: string;
  clock: Clock;
  random: Random;
  keyring: Keyring;
  codes: EmergencyCodesService;
  settings: SettingsService;
}

type ClientCall = Call<AuthenticationClient>;

const defaultTimeoutSeconds = 300;
const maxTimeoutSeconds = 3_600;
/** Rows a transaction, so that nobody waits for a long clean-up. */
const expiredBatch = 1_000;

export class AuthenticationService {
  readonly #with: Dependencies;

  constructor(dependencies: Dependencies) {
    this.#with = dependencies;
  }

  async initialize(call: ClientCall, request: AuthnInitialize): Promise<AuthnAnswer> {
    const { db, clock, codes, companyId, settings } = this.#with;
    const attempt = await this.#newAttempt(call, request);
    const code = request.subjectCredentials?.length ? codeIn(request.subjectCredentials) : undefined;
    const { answerTimeMs } = (await settings.current()).settings;
    const context = contextOf(attempt.id, attempt.messageId, request.context.messageId);
    const answer = (situation: Situation) => answerFor(situation, context);
    // The user is not looked at before there is a code to verify, so the answer cannot depend on who it is.
    return answerOnTheBeat(clock, answerTimeMs, async () => {
      const typed = code === undefined ? undefined : { user: request.subjectName, code, attemptId: attempt.id };
      const verification = typed && (await codes.prepareVerification(call, typed));
      if (verification === undefined) {
        await db.write((trx) => store.insertAttempt(trx, companyId, attempt));
        return answer("challenged");
      }
      const situation = await verification.decideWithin(async (trx, decide) => {
        await store.insertAttempt(trx, companyId, attempt);
        const { accepted } = await decide();
        return this.#settle(trx, attempt, { accepted, tries: attempt.tries });
      });
      return answer(situation);
    });
  }

  /** Refuses with `attempt_not_found` once the attempt has ended, was removed, or belongs to another key. */
  async verify(call: ClientCall, request: AuthnVerify): Promise<AuthnAnswer> {
    const { clock, random, codes, settings } = this.#with;
    const { authnAttemptId: id, inResponseTo, messageId } = request.context;
    const code = codeIn(request.subjectCredentials);
    const attempt = await this.#getAttempt(call, id);
    if (attempt.state !== "open") throw new Refusal("attempt_not_found");
    const { name } = await this.#openSubject(attempt);
    const { answerTimeMs } = (await settings.current()).settings;
    return answerOnTheBeat(clock, answerTimeMs, async () => {
      const verification = await codes.prepareVerification(call, { user: name, code, attemptId: id });
      const nextMessageId = random.uuid();
      const situation = await verification.decideWithin(async (trx, decide): Promise<Situation> => {
        const now = clock.now();
        const expiresAt = addMs(now, attempt.timeoutSeconds * 1_000);
        const turn = { id, authnKeyId: call.principal.id, inResponseTo, nextMessageId, now, expiresAt };
        const tries = await store.takeTurn(trx, turn);
        // The turn comes first: a request that answers an old message must not spend the code.
        if (tries === undefined) return "stale";
        const { accepted } = await decide();
        return this.#settle(trx, attempt, { accepted, tries });
      });
      // A stale request gets the message that is to be answered, so that its client finds back.
      const answered = situation === "stale" ? (await this.#getAttempt(call, id)).messageId : nextMessageId;
      return answerFor(situation, contextOf(id, answered, messageId));
    });
  }

  async status(call: ClientCall, { authnAttemptId: id, removeAttemptId }: AuthnStatus): Promise<AuthnStatusAnswer> {
    const removed = await this.#remove(call, id, { finishedOnly: removeAttemptId !== true });
    const attempt = removed ?? (await this.#getAttempt(call, id));
    const { code, reason } = statusOf[attempt.state];
    return this.#statusAnswer(attempt, code, reason);
  }

  async cancel(call: ClientCall, { authnAttemptId: id, reason }: AuthnCancel): Promise<AuthnStatusAnswer> {
    const removed = await this.#remove(call, id, { finishedOnly: false });
    if (removed === undefined) throw new Refusal("attempt_not_found");
    return this.#statusAnswer(removed, "FAIL", reason ?? "USER_ACTION");
  }

  /** Frees the rows of attempts that ended by themselves; they are refused from their end on in any case. */
  async removeExpired(): Promise<void> {
    const { db, clock } = this.#with;
    let removed = expiredBatch;
    while (removed === expiredBatch) {
      removed = await db.write((trx) => store.removeExpired(trx, clock.now(), expiredBatch));
    }
  }

  async #newAttempt(call: ClientCall, request: AuthnInitialize): Promise<store.Attempt> {
    const { clock, random, keyring } = this.#with;
    if (request.authMethodId && request.authMethodId !== methodId) {
      throw new Refusal("malformed_request", { answer: `authMethodId must be ${methodId}, or left out.` });
    }
    const timeoutSeconds = Number(request.authnAttemptTimeout ?? defaultTimeoutSeconds);
    if (timeoutSeconds < 1 || timeoutSeconds > maxTimeoutSeconds) {
      throw new Refusal("malformed_request", {
        answer: `authnAttemptTimeout must be 1 to ${maxTimeoutSeconds} seconds.`,
      });
    }
    const id = random.uuid();
    const subject: Subject = {
      name: request.subjectName,
      policyId: request.assurancePolicyId ?? null,
      sessionAttributes: request.sessionAttributes ?? [],
    };
    return {
      id,
      authnKeyId: call.principal.id,
      subject: sealSubject(subject, id, await keyring.fresh()),
      messageId: random.uuid(),
      state: "open",
      tries: request.subjectCredentials?.length ? 1 : 0,
      timeoutSeconds,
      keep: request.keepAttempt ?? false,
      expiresAt: addMs(clock.now(), timeoutSeconds * 1_000),
    };
  }

  /** Ends the attempt if it has succeeded or this try was its last, and says where it stands. */
  async #settle(
    trx: Connection,
    attempt: store.Attempt,
    { accepted, tries }: { accepted: boolean; tries: number },
  ): Promise<Situation> {
    const { settings } = this.#with.settings.known();
    if (!accepted && tries < settings.attemptTries) return "wrong_code";
    if (attempt.keep) await store.finishAttempt(trx, attempt.id, accepted ? "succeeded" : "failed");
    else
      await store.removeAttempt(trx, attempt.id, attempt.authnKeyId, {
        now: this.#with.clock.now(),
        finishedOnly: false,
      });
    return accepted ? "accepted" : "failed";
  }

  async #getAttempt(call: ClientCall, id: string): Promise<store.Attempt> {
    const { db, clock } = this.#with;
    const attempt = await store.findAttempt(db.read, id, call.principal.id, clock.now());
    if (attempt === undefined) throw new Refusal("attempt_not_found");
    return attempt;
  }

  #remove(call: ClientCall, id: string, { finishedOnly }: { finishedOnly: boolean }) {
    const { db, clock } = this.#with;
    return db.write((trx) => store.removeAttempt(trx, id, call.principal.id, { now: clock.now(), finishedOnly }));
  }

  async #openSubject({ subject, id }: store.Attempt): Promise<Subject> {
    const opened = openSubject(subject, id, await this.#with.keyring.fresh());
    if (opened === undefined) throw new Refusal("attempt_not_found");
    return opened;
  }

  async #statusAnswer(attempt: store.Attempt, code: AttemptResponseCode, reason: string): Promise<AuthnStatusAnswer> {
    const { name, policyId, sessionAttributes } = await this.#openSubject(attempt);
    return {
      attemptResponseCode: code,
      attemptReasonCode: reason,
      subjectName: name,
      authnPolicyId: policyId,
      sessionAttributes,
      successfulMethods: code === "SUCCESS" ? [methodId] : [],
      attemptExpires: attempt.expiresAt,
    };
  }
}

const statusOf: Record<store.Attempt["state"], { code: AttemptResponseCode; reason: string }> = {
  open: { code: "CHALLENGE", reason: "AUTHENTICATION_REQUIRED" },
  succeeded: { code: "SUCCESS", reason: "CREDENTIAL_VERIFIED" },
  failed: { code: "FAIL", reason: "VERIFY_ERROR" },
};

function contextOf(authnAttemptId: string, messageId: string, inResponseTo: string) {
  return { authnAttemptId, messageId, inResponseTo };
}

/** The one code that a request presents. Two would be two guesses for the price of one. */
function codeIn(credentials: SubjectCredential[]): string {
  const inputs = credentials
    .filter((credential) => credential.methodId === methodId)
    .flatMap((credential) => credential.collectedInputs.filter((input) => input.name === methodId));
  const [input] = inputs;
  if (input === undefined || inputs.length > 1) {
    throw new Refusal("malformed_request", { answer: `subjectCredentials must hold one ${methodId} input.` });
  }
  return input.value;
}
