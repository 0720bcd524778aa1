/** Requests that are wrong in every way that people are: the code in a name, a path, a header, a broken body. */
import { connect } from "node:net";
import type { Answer, ApiCaller } from "../api-caller.ts";

export interface Provoked {
  what: string;
  answer: Answer;
  /** A name that the client sends may come back to it. Such an answer is not searched. */
  mayEcho: boolean;
}

type Request = [
  by: "admin" | "client" | "call",
  method: string,
  path: string,
  body?: unknown,
  headers?: Record<string, string>,
];

/** Sends them all. `userId` is a user who has the code. */
export async function provoke(caller: ApiCaller, code: string, userId: string): Promise<Provoked[]> {
  const echoing = requestsWithCodeAsName(code);
  const others = [...requestsWithCodeElsewhere(code, userId), ...requestsWithBrokenBodies(code, userId)];
  const provoked: Provoked[] = [];
  for (const request of [...echoing, ...others]) {
    const [by, method, path, body, headers] = request;
    const answer = await caller[by](method, path, body, headers);
    provoked.push({
      what: `${method} ${path} ${JSON.stringify(body)?.slice(0, 200)}`,
      answer,
      mayEcho: echoing.includes(request),
    });
  }
  return provoked;
}

/** Somebody pastes the code where a user, a path or a message is named. */
function requestsWithCodeAsName(code: string): Request[] {
  const vendorUsers = "/AdminInterface/restapi/v1/users";
  const context = { messageId: "m1", authnAttemptId: code, inResponseTo: code };
  const credentials = [
    { methodId: "EMERGENCY_TOKENCODE", collectedInputs: [{ name: "EMERGENCY_TOKENCODE", value: code }] },
  ];
  return [
    ["admin", "PUT", `${vendorUsers}/${code}/emergencyTokencode`, { expirationDays: 1 }],
    ["admin", "PUT", `/AdminInterface/restapi/v2/users/${code}/emergencyTokencode`, {}],
    ["admin", "DELETE", `${vendorUsers}/${code}/emergencyTokencode/${code}`],
    ["admin", "DELETE", `${vendorUsers}/${code}/emergencyTokencodes`],
    ["admin", "PUT", `${vendorUsers}/${code}/userStatus`, { userStatus: "Disabled" }],
    ["admin", "PATCH", `${vendorUsers}/${code}/methods`, { unlockMethods: ["EMERGENCY_TOKENCODE"] }],
    ["admin", "POST", `${vendorUsers}/lookup`, { username: code }],
    ["admin", "POST", `${vendorUsers}/lookup`, { email: code }],
    ["admin", "POST", `/api/v1/users/${code}/emergency-code`, {}],
    ["admin", "DELETE", `/api/v1/users/${code}/emergency-code`],
    ["admin", "GET", `/api/v1/users/${code}/emergency-access`],
    ["client", "POST", "/mfa/v1_1/authn/initialize", { subjectName: code, context: { messageId: code } }],
    ["client", "POST", "/mfa/v1_1/authn/verify", { context, subjectCredentials: credentials }],
    ["client", "POST", "/mfa/v1_1/authn/status", { authnAttemptId: code }],
    ["client", "POST", "/mfa/v1_1/authn/cancel", { authnAttemptId: code }],
    ["admin", "GET", `/api/v1/users/${code}`],
    ["admin", "POST", `/${code}`, { code }],
    ["admin", "GET", `/api/v1/${code}%`],
    ["admin", "POST", "/api/v1/users", [{ username: code, nonsense: code }]],
  ];
}

/** Where nothing may come back: credentials, codes, settings, queries, headers. */
function requestsWithCodeElsewhere(code: string, userId: string): Request[] {
  const credential = (value: unknown) => [{ methodId: code, collectedInputs: [{ name: code, value }] }];
  const initialize = { subjectName: "nobody.here", context: { messageId: "m1" } };
  return [
    ["client", "POST", "/api/v1/verify", { user: code, code }],
    ["client", "POST", "/api/v1/verify", { user: `${code}@example.com`, code: code.toLowerCase() }],
    ["client", "POST", "/api/v1/verify", { user: "nobody.here", code: `${code}0` }],
    ["client", "POST", "/api/v1/verify", { user: "nobody.here", code, [code]: code }],
    ["client", "POST", "/api/v1/verify", { user: { name: code }, code: [code] }],
    ["client", "POST", `/api/v1/verify?code=${code}`, { code }],
    ["client", "POST", "/mfa/v1_1/authn/initialize", { ...initialize, subjectCredentials: credential(code) }],
    ["client", "POST", "/mfa/v1_1/authn/initialize", { ...initialize, subjectCredentials: credential({ code }) }],
    [
      "client",
      "POST",
      "/mfa/v1_1/authn/initialize",
      { ...initialize, authnAttemptTimeout: code, lang: code, clientId: code },
    ],
    ["client", "POST", "/mfa/v1_1/authn/initialize", { ...initialize, authMethodId: code, assurancePolicyId: code }],
    [
      "client",
      "POST",
      "/mfa/v1_1/authn/initialize",
      { ...initialize, sessionAttributes: [{ [code]: code }], clientDetails: code },
    ],
    ["client", "POST", "/api/v1/verify", { user: "nobody.here", code }, { "client-key": code }],
    [
      "call",
      "POST",
      "/api/v1/verify",
      { user: "nobody.here", code },
      { authorization: `Basic ${code}`, "client-key": `${code}`.padEnd(64, "x") },
    ],
    ["admin", "GET", "/api/v1/settings", undefined, { authorization: `Bearer ${code}` }],
    ["admin", "GET", "/api/v1/settings", undefined, { authorization: `Bearer ${forgedToken(code)}` }],
    [
      "admin",
      "GET",
      "/api/v1/settings",
      undefined,
      { "x-request-id": code, "user-agent": code, "x-forwarded-for": code, cookie: code },
    ],
    ["admin", "PUT", "/api/v1/settings", { codeFormat: code, [code]: code }, { "if-match": `"${code}"` }],
    ["admin", "GET", `/api/v1/audit/events?after=${code}`],
    ["admin", "GET", `/api/v1/audit/events?userId=${code}&action=${code}&${code}=1`],
    [
      "admin",
      "POST",
      "/api/v1/users",
      { username: "jdoe", email: code, firstName: code, lastName: code, status: code },
    ],
    ["admin", "POST", `/api/v1/users/${userId}/emergency-code`, { reason: code, ticket: code, lifetime: code }],
    ["admin", "POST", `/api/v1/users/${userId}/emergency-code`, { ticket: code.repeat(40) }],
    ["admin", "PUT", `/AdminInterface/restapi/v1/users/${userId}/emergencyTokencode`, { expirationDays: code }],
    [
      "admin",
      "PUT",
      `/AdminInterface/restapi/v2/users/${userId}/emergencyTokencode`,
      { expiryUnit: code, expiryValue: code, oneTimeUse: code },
    ],
    ["admin", "PUT", `/AdminInterface/restapi/v1/users/${userId}/userStatus`, { userStatus: code }],
    ["admin", "PATCH", `/AdminInterface/restapi/v1/users/${userId}/methods`, { unlockMethods: [code] }],
    ["admin", "OPTIONS", `/api/v1/verify?${code}`],
    ["call", "GET", `/metrics?${code}`, undefined, { authorization: `Bearer ${code}` }],
  ];
}

/** Bodies that no parser reads, and bodies that are too long: a parser's message likes to quote them. */
function requestsWithBrokenBodies(code: string, userId: string): Request[] {
  const bodies = [
    `{"user":"jdoe","code":"${code}`,
    code,
    `"${code}"`,
    `{"code":${code}}`,
    `{"__proto__":{"code":"${code}"}}`,
    `[${`"${code}",`.repeat(9_000)}0]`,
  ];
  return bodies.flatMap((body): Request[] => [
    ["client", "POST", "/api/v1/verify", body],
    ["client", "POST", "/mfa/v1_1/authn/verify", body],
    ["admin", "PUT", `/AdminInterface/restapi/v1/users/${userId}/emergencyTokencode`, body],
    ["client", "POST", "/api/v1/verify", body, { "content-type": `text/${code}` }],
  ]);
}

function forgedToken(code: string): string {
  const parts = [
    { alg: "RS256", kid: code },
    { sub: code, aud: code, iat: code },
  ].map((part) => JSON.stringify(part));
  return [...parts, code].map((part) => Buffer.from(part).toString("base64url")).join(".");
}

/** What is not even HTTP. Answers what came back, each over a connection of its own. */
export async function provokeRaw(url: string, code: string): Promise<string[]> {
  const { hostname, port } = new URL(url);
  const requests = [
    `GET /${code} HTTP/9.9\r\n\r\n`,
    `${code}\r\n\r\n`,
    `POST /api/v1/verify HTTP/1.1\r\nhost: ${code}\r\n${code}: ${code}\r\ncontent-length: ${code}\r\n\r\n`,
    `GET /readyz HTTP/1.1\r\nhost: localhost\r\nx-flood: ${`${code} `.repeat(5_000)}\r\n\r\n`,
    `POST /api/v1/verify HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n${code}\r\n`,
  ];
  return Promise.all(
    requests.map(
      (request) =>
        new Promise<string>((resolve) => {
          let answer = "";
          const socket = connect({ host: hostname, port: Number(port) }, () => socket.write(request));
          socket.setTimeout(3_000, () => socket.destroy());
          socket.setEncoding("latin1").on("data", (text: string) => {
            answer += text;
          });
          socket.on("error", () => {}).on("close", () => resolve(answer));
        }),
    ),
  );
}
