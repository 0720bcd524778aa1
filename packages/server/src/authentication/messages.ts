/** What the vendor's Authentication API says in each situation. Pure: from what became of an attempt to the answer. */
import type { AttemptResponseCode, AuthnAnswer } from "@sparekey/contract";

/** The vendor's name for an emergency code as a way to sign in. */
export const methodId = "EMERGENCY_TOKENCODE";

/** What became of an attempt, for everyone alike: a wrong code looks the same whatever was wrong. */
export type Situation = "challenged" | "accepted" | "wrong_code" | "failed" | "stale";

export interface MessageContext {
  authnAttemptId: string;
  /** The server's message, which the next request must name. */
  messageId: string;
  /** The request's message. */
  inResponseTo: string;
}

type MethodResponse = "SUCCESS" | "FAIL" | undefined;

const answers: Record<Situation, { attempt: AttemptResponseCode; reason: string; method: MethodResponse }> = {
  challenged: { attempt: "CHALLENGE", reason: "AUTHENTICATION_REQUIRED", method: undefined },
  accepted: { attempt: "SUCCESS", reason: "CREDENTIAL_VERIFIED", method: "SUCCESS" },
  wrong_code: { attempt: "CHALLENGE", reason: "AUTHENTICATION_REQUIRED", method: "FAIL" },
  failed: { attempt: "FAIL", reason: "VERIFY_ERROR", method: "FAIL" },
  stale: { attempt: "ERROR", reason: "STALE_MESSAGE", method: undefined },
};

export function answerFor(situation: Situation, context: MessageContext): AuthnAnswer {
  const { attempt, reason, method } = answers[situation];
  return {
    context,
    credentialValidationResults:
      method === undefined
        ? []
        : [{ methodId, methodResponseCode: method, methodReasonCode: null, authnAttributes: [] }],
    attemptResponseCode: attempt,
    attemptReasonCode: reason,
    challengeMethods: { challenges: attempt === "CHALLENGE" ? [challenge] : [] },
  };
}

/** A challenge of its own with this very display name: clients look at the first method and at its name. */
const challenge: AuthnAnswer["challengeMethods"]["challenges"][number] = {
  methodSetId: null,
  requiredMethods: [
    {
      methodId,
      displayName: "Emergency Tokencode",
      priority: null,
      versions: [
        {
          versionId: "1.0.0",
          methodAttributes: [],
          valueRequired: true,
          referenceId: null,
          prompt: {
            promptResourceId: "EmergencyTokencode.Resource.Prompt",
            defaultText: "Enter your emergency tokencode:",
            formatRegex: null,
            defaultValue: null,
            valueBeingDefined: false,
            sensitive: true,
            minLength: null,
            maxLength: null,
            promptArgs: [],
          },
        },
      ],
    },
  ],
};
