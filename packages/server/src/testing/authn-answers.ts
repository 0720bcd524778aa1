/** What the Authentication API says in each situation, apart from the ids of the conversation. */
import { methodId } from "./authn-client.ts";

const challengeMethods = {
  challenges: [
    {
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
    },
  ],
};
const noMethods = { challenges: [] };
const result = (methodResponseCode: string) => [
  { methodId, methodResponseCode, methodReasonCode: null, authnAttributes: [] },
];

/** The rows of the wire's table: what an answer says in each situation, apart from its ids. */
export const challenged = {
  credentialValidationResults: [],
  attemptResponseCode: "CHALLENGE",
  attemptReasonCode: "AUTHENTICATION_REQUIRED",
  challengeMethods,
};
export const wrongCode = { ...challenged, credentialValidationResults: result("FAIL") };
export const accepted = {
  credentialValidationResults: result("SUCCESS"),
  attemptResponseCode: "SUCCESS",
  attemptReasonCode: "CREDENTIAL_VERIFIED",
  challengeMethods: noMethods,
};
export const failed = {
  credentialValidationResults: result("FAIL"),
  attemptResponseCode: "FAIL",
  attemptReasonCode: "VERIFY_ERROR",
  challengeMethods: noMethods,
};
export const stale = {
  credentialValidationResults: [],
  attemptResponseCode: "ERROR",
  attemptReasonCode: "STALE_MESSAGE",
  challengeMethods: noMethods,
};
