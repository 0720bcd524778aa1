/** The Authentication API: attempts, in which a user has a few tries to present an emergency code. */
import type {
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

export interface AuthenticationService {
  initialize(call: Call<AuthenticationClient>, request: AuthnInitialize): Promise<AuthnAnswer>;
  /** Refuses with `attempt_not_found` once the attempt has ended, was removed, or belongs to another key. */
  verify(call: Call<AuthenticationClient>, request: AuthnVerify): Promise<AuthnAnswer>;
  status(call: Call<AuthenticationClient>, request: AuthnStatus): Promise<AuthnStatusAnswer>;
  cancel(call: Call<AuthenticationClient>, request: AuthnCancel): Promise<AuthnStatusAnswer>;
  /** Frees the rows of attempts that ended by themselves; they are refused from their end on in any case. */
  removeExpired(): Promise<void>;
}

interface Dependencies {
  clock: Clock;
  random: Random;
  keyring: Keyring;
  codes: EmergencyCodesService;
  settings: SettingsService;
}

const defaultTimeoutSeconds = 300;
const maxTimeoutSeconds = 3_600;
/** Rows a transaction, so that nobody waits for a long clean-up. */
const expiredBatch = 1_000;

export function createAuthenticationService(
  db: Database<Tables>,
  companyId: string,
  { clock, random, keyring, codes, settings }: Dependencies,
): AuthenticationService {
  async function initialize(call: Call<AuthenticationClient>, request: AuthnInitialize): Promise<AuthnAnswer> {
    const attempt = newAttempt(call, request);
    const code = request.subjectCredentials?.length ? codeIn(request.subjectCredentials) : undefined;
    const { answerTimeMs, attemptTries } = (await settings.current()).settings;
    // The user is not looked at before there is a code to verify, so the answer cannot depend on who it is.
    return answerOnTheBeat(clock, answerTimeMs, async () => {
      const verification =
        code === undefined
          ? undefined
          : await codes.prepareVerification(call, { user: request.subjectName, code, attemptId: attempt.id });
      const situation = await db.write(async (trx): Promise<Situation> => {
        await store.insertAttempt(trx, companyId, verification === undefined ? attempt : { ...attempt, tries: 1 });
        if (verification === undefined) return "challenged";
        const { accepted } = await verification.decide(trx);
        return settle(trx, attempt, accepted, attemptTries, 1);
      });
      return answerFor(situation, contextOf(attempt.id, attempt.messageId, request.context.messageId));
    });
  }

  function newAttempt(call: Call<AuthenticationClient>, request: AuthnInitialize): store.Attempt {
    if (request.authMethodId && request.authMethodId !== methodId) {
      throw new Refusal("malformed_request", { answer: `authMethodId must be ${methodId}, or left out.` });
    }
    const timeoutSeconds = Number(request.authnAttemptTimeout ?? defaultTimeoutSeconds);
    if (timeoutSeconds < 1 || timeoutSeconds > maxTimeoutSeconds) {
      throw new Refusal("malformed_request", { answer: `authnAttemptTimeout must be 1 to ${maxTimeoutSeconds} seconds.` });
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
      subject: sealSubject(subject, id, keyring),
      messageId: random.uuid(),
      state: "open",
      tries: 0,
      timeoutSeconds,
      keep: request.keepAttempt ?? false,
      expiresAt: addMs(clock.now(), timeoutSeconds * 1_000),
    };
  }

  /** Ends the attempt if this try was its last, and says where it stands. */
  async function settle(
    trx: Connection,
    attempt: store.Attempt,
    accepted: boolean,
    maxTries: number,
    tries: number,
  ): Promise<Situation> {
    if (!accepted && tries < maxTries) return "wrong_code";
    const state = accepted ? "succeeded" : "failed";
    if (attempt.keep) await store.finishAttempt(trx, attempt.id, state);
    else await store.removeAttempt(trx, attempt.id, attempt.authnKeyId, { now: clock.now(), finishedOnly: false });
    return accepted ? "accepted" : "failed";
  }

  async function getAttempt(call: Call<AuthenticationClient>, id: string): Promise<store.Attempt> {
    const attempt = await store.findAttempt(db.read, id, call.principal.id, clock.now());
    if (attempt === undefined) throw new Refusal("attempt_not_found");
    return attempt;
  }

  async function verify(call: Call<AuthenticationClient>, request: AuthnVerify): Promise<AuthnAnswer> {
    const { authnAttemptId: id, inResponseTo, messageId } = request.context;
    const code = codeIn(request.subjectCredentials);
    const attempt = await getAttempt(call, id);
    if (attempt.state !== "open") throw new Refusal("attempt_not_found");
    const { answerTimeMs, attemptTries } = (await settings.current()).settings;
    return answerOnTheBeat(clock, answerTimeMs, async () => {
      const { name } = openSubject(attempt.subject, id, keyring);
      const verification = await codes.prepareVerification(call, { user: name, code, attemptId: id });
      const nextMessageId = random.uuid();
      const situation = await db.write(async (trx): Promise<Situation> => {
        const now = clock.now();
        const expiresAt = addMs(now, attempt.timeoutSeconds * 1_000);
        const turn = { id, authnKeyId: call.principal.id, inResponseTo, nextMessageId, now, expiresAt };
        const tries = await store.takeTurn(trx, turn);
        // The turn comes first: a request that answers an old message must not spend the code.
        if (tries === undefined) return "stale";
        const { accepted } = await verification.decide(trx);
        return settle(trx, attempt, accepted, attemptTries, tries);
      });
      // A stale request gets the message that is to be answered, so that its client finds back.
      const answered = situation === "stale" ? (await getAttempt(call, id)).messageId : nextMessageId;
      return answerFor(situation, contextOf(id, answered, messageId));
    });
  }

  function statusAnswer(attempt: store.Attempt, code: AuthnStatusAnswer["attemptResponseCode"], reason: string): AuthnStatusAnswer {
    const subject = openSubject(attempt.subject, attempt.id, keyring);
    return {
      attemptResponseCode: code,
      attemptReasonCode: reason,
      subjectName: subject.name,
      authnPolicyId: subject.policyId,
      sessionAttributes: subject.sessionAttributes,
      successfulMethods: code === "SUCCESS" ? [methodId] : [],
      attemptExpires: attempt.expiresAt,
    };
  }

  return {
    initialize,
    verify,
    status: async (call, { authnAttemptId: id, removeAttemptId }) => {
      const finishedOnly = removeAttemptId !== true;
      const removed = await db.write((trx) =>
        store.removeAttempt(trx, id, call.principal.id, { now: clock.now(), finishedOnly }),
      );
      const attempt = removed ?? (await getAttempt(call, id));
      const { attempt: code, reason } = statusOf[attempt.state];
      return statusAnswer(attempt, code, reason);
    },
    cancel: async (call, { authnAttemptId: id, reason }) => {
      const removed = await db.write((trx) =>
        store.removeAttempt(trx, id, call.principal.id, { now: clock.now(), finishedOnly: false }),
      );
      if (removed === undefined) throw new Refusal("attempt_not_found");
      return statusAnswer(removed, "FAIL", reason ?? "USER_ACTION");
    },
    removeExpired: async () => {
      let removed = expiredBatch;
      while (removed === expiredBatch) {
        removed = await db.write((trx) => store.removeExpired(trx, clock.now(), expiredBatch));
      }
    },
  };
}

const statusOf: Record<store.Attempt["state"], { attempt: AuthnStatusAnswer["attemptResponseCode"]; reason: string }> = {
  open: { attempt: "CHALLENGE", reason: "AUTHENTICATION_REQUIRED" },
  succeeded: { attempt: "SUCCESS", reason: "CREDENTIAL_VERIFIED" },
  failed: { attempt: "FAIL", reason: "VERIFY_ERROR" },
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
