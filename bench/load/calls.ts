/** The calls as they go over the wire, the same to the service and to the reference. */
import type { CallName } from "../options.ts";
import type { Population } from "../population/population.ts";
import type { Exchange } from "./tally.ts";

interface Credentials {
  clientKey: string;
  /** Bearer tokens, used in turn. */
  tokens: string[];
}

type Next = () => Exchange;

const adminBase = "/AdminInterface/restapi/v1/users";
const methodId = "EMERGENCY_TOKENCODE";

/** Makes requests of one call, with users and tokens in turn, again and again. */
export function requestsOf(call: CallName, { issued, verified }: Population, credentials: Credentials): Next {
  const { clientKey, tokens } = credentials;
  const nextToken = inTurn(tokens);
  const asAdministrator = () => `authorization: Bearer ${nextToken()}`;
  const asClient = `client-key: ${clientKey}`;
  const [toIssue, toVerify, toLookUp] = [inTurn(issued), inTurn(verified), inTurn([...issued, ...verified])];

  const issue = () => {
    const path = `${adminBase}/${toIssue().id}/emergencyTokencode`;
    const request = put("PUT", path, asAdministrator(), '{"expirationDays":"1"}');
    return { request, expected: '"emergencyTokencode":"' };
  };
  const verify = () => {
    const { username, code } = toVerify();
    return { request: verification(username, code, asClient), expected: '"accepted":true' };
  };
  const lookup = () => {
    const body = JSON.stringify({ username: toLookUp().username });
    return { request: put("POST", `${adminBase}/lookup`, asAdministrator(), body), expected: '"principalUsername":"' };
  };
  const authn = () => {
    const { username, code } = toVerify();
    const subjectCredentials = [{ methodId, collectedInputs: [{ name: methodId, value: code }] }];
    const body = JSON.stringify({ subjectName: username, context: { messageId: "bench" }, subjectCredentials });
    const request = put("POST", "/mfa/v1_1/authn/initialize", asClient, body);
    return { request, expected: '"attemptResponseCode":"SUCCESS"' };
  };
  // Eight of ten verify.
  const turns = inTurn([verify, verify, verify, issue, verify, verify, verify, verify, lookup, verify]);
  const mixed = () => turns()();
  return { issue, verify, lookup, authn, mixed }[call];
}

/** A code that nobody has: its check symbol is right, so that it is looked for. */
const wrongCode = "00000000000";

export function wrongVerification(username: string, clientKey: string): Exchange {
  return { request: verification(username, wrongCode, `client-key: ${clientKey}`), expected: '"accepted":false' };
}

function verification(user: string, code: string, header: string): string {
  return put("POST", "/api/v1/verify", header, JSON.stringify({ user, code }));
}

/** Bodies are ASCII, so that characters are bytes. */
function put(method: string, path: string, header: string, body: string): string {
  return `${method} ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n${header}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
}

function inTurn<Item>(items: Item[]): () => Item {
  let turn = 0;
  return () => items[turn++ % items.length] as Item;
}
