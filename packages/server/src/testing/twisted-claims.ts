/** Tokens that the right key signed, with claims that do not hold, and tokens that are presented wrongly. */
import type { RefusedToken, TokenKit } from "./token-kit.ts";

type Claims = TokenKit["claims"];

/** An honest token but for these claims, or for the whole payload as text. */
const twisted = (name: string, claims: (honest: Claims, kit: TokenKit) => object | string): RefusedToken => ({
  name,
  authorization: (kit) => `Bearer ${kit.signed(claims(kit.claims, kit))}`,
});

/** Claims as JSON text in which one value is written in a way that `JSON.stringify` never would. */
const written = (claims: Claims, name: keyof Claims, text: string) =>
  JSON.stringify({ ...claims, [name]: "HERE" }).replace('"HERE"', text);

/** Values that are neither a number nor digits. */
const notTimes = [null, true, "", "soon", "-1", "+1767268800", "0x69563740", "1e9", "NaN", [1_767_268_800], { at: 1 }];

const times: RefusedToken[] = [
  twisted("no iat", () => ({ iat: undefined })),
  twisted("no exp", () => ({ exp: undefined })),
  ...notTimes.map((value) => twisted(`iat ${JSON.stringify(value)}`, () => ({ iat: value }))),
  ...notTimes.map((value) => twisted(`exp ${JSON.stringify(value)}`, () => ({ exp: value }))),
  twisted("iat in digits of another script", ({ iat }) => ({
    iat: String(iat).replace(/\d/g, (digit) => "٠١٢٣٤٥٦٧٨٩"[Number(digit)] ?? ""),
  })),
  twisted("exp with a space", ({ exp }) => ({ exp: ` ${exp}` })),
  twisted("a negative iat", () => ({ iat: -1, exp: 1 })),
  twisted("a negative exp", () => ({ exp: -1 })),
  twisted("iat NaN", (claims) => written(claims, "iat", "NaN")),
  twisted("exp Infinity", (claims) => written(claims, "exp", "1e400")),
  twisted("iat and exp Infinity", (claims) =>
    written({ ...claims, iat: 0 }, "exp", "1e400").replace('"iat":0', '"iat":1e400'),
  ),
  twisted("exp too large for a date", () => ({ exp: Number.MAX_SAFE_INTEGER })),
  twisted("an exp of thirteen digits", ({ exp }) => ({ exp: `${exp}000` })),
  twisted("milliseconds", ({ iat, exp }) => ({ iat: iat * 1_000, exp: iat * 1_000 + exp - iat })),
  twisted("exp at iat", ({ iat }) => ({ exp: iat })),
  twisted("exp before iat", ({ iat }) => ({ exp: iat - 1 })),
  twisted("an hour and a second", ({ iat }) => ({ exp: iat + 3_601 })),
  twisted("an hour and a moment", ({ iat }) => ({ exp: iat + 3_600.001 })),
  twisted("an hour and a second, as text", ({ iat }) => ({ iat: String(iat), exp: String(iat + 3_601) })),
  twisted("iat beyond the skew", ({ iat }) => ({ iat: iat + 61 })),
  twisted("expired beyond the skew", ({ iat }) => ({ iat: iat - 600, exp: iat - 60 })),
  twisted("expired long ago", ({ iat }) => ({ iat: iat - 90_000, exp: iat - 89_000 })),
];

const subjects: RefusedToken[] = [
  twisted("no sub", () => ({ sub: undefined })),
  ...[null, 0, "", "*", "%", "admin", "' OR '1'='1", { id: 1 }, "00000000-0000-0000-0000-000000000000"].map((sub) =>
    twisted(`sub ${JSON.stringify(sub)}`, () => ({ sub })),
  ),
  twisted("sub in an array", ({ sub }) => ({ sub: [sub] })),
  twisted("sub in capitals", ({ sub }) => ({ sub: sub.toUpperCase() })),
  twisted("sub with a space", ({ sub }) => ({ sub: `${sub} ` })),
  twisted("sub with a line end", ({ sub }) => ({ sub: `${sub}\n` })),
  twisted("sub with NUL", ({ sub }) => ({ sub: `${sub}\0` })),
  twisted("sub as a path", ({ sub }) => ({ sub: `../keys/${sub}` })),
  twisted("the access ID in iss alone", ({ sub }) => ({ sub: undefined, iss: sub, client_id: sub })),
  twisted("a second sub, of nobody", (claims) => written(claims, "sub", `"${claims.sub}","sub":"nobody"`)),
];

const audiences: RefusedToken[] = [
  twisted("no aud", () => ({ aud: undefined })),
  ...[null, 1, "", "*", {}, [], "localhost", "localhost:8080", "/AdminInterface/restapi/"].map((aud) =>
    twisted(`aud ${JSON.stringify(aud)}`, () => ({ aud })),
  ),
  twisted("aud in an array", ({ aud }) => ({ aud: [aud] })),
  twisted("aud among others", ({ aud }) => ({ aud: ["https://elsewhere.example", aud] })),
  twisted("aud in a text of two", ({ aud }) => ({ aud: `${aud} https://elsewhere.example` })),
  ...["x", "//", "v", "v1//", "v2", "v1/users", "?", "#", " ", "\n", "../"].map((end) =>
    twisted(`aud and ${JSON.stringify(end)}`, ({ aud }) => ({ aud: aud + end })),
  ),
  twisted("half the aud", ({ aud }) => ({ aud: aud.slice(0, -4) })),
  twisted("aud in capitals", ({ aud }) => ({ aud: aud.toUpperCase() })),
  twisted("aud with a host in capitals", ({ aud }) => ({ aud: aud.replace("localhost", "LOCALHOST") })),
  twisted("aud with a path in small letters", ({ aud }) => ({ aud: aud.toLowerCase() })),
  twisted("aud over https", ({ aud }) => ({ aud: aud.replace("http:", "https:") })),
  twisted("aud without the port", ({ aud }) => ({ aud: aud.replace(":8080", "") })),
  twisted("aud with another port", ({ aud }) => ({ aud: aud.replace(":8080", ":8081") })),
  twisted("aud of another host", ({ aud }) => ({ aud: aud.replace("localhost", "elsewhere.example") })),
  twisted("aud of the host's address", ({ aud }) => ({ aud: aud.replace("localhost", "127.0.0.1") })),
  twisted("aud of a host with a dot", ({ aud }) => ({ aud: aud.replace("localhost", "localhost.") })),
  twisted("aud of a longer host", ({ aud }) => ({ aud: aud.replace(":8080", ".elsewhere.example:8080") })),
  twisted("aud with a user", ({ aud }) => ({ aud: aud.replace("//", "//localhost:8080@elsewhere.example/") })),
  twisted("aud of the Authentication API", ({ aud }) => ({
    aud: aud.replace("/AdminInterface/restapi/", "/mfa/v1_1"),
  })),
  twisted("a second aud, elsewhere", (claims) =>
    written(claims, "aud", `"${claims.aud}","aud":"https://elsewhere.example"`),
  ),
];

const payloads: RefusedToken[] = [
  ...["null", "[]", '"text"', "1", "{}", "", "{", "undefined"].map((text) => twisted(`payload ${text}`, () => text)),
  twisted("claims in an array", (claims) => JSON.stringify([claims])),
  twisted("claims under __proto__", (claims) => `{"__proto__":${JSON.stringify(claims)}}`),
  twisted("a second exp, too late", (claims) => written(claims, "exp", `${claims.exp},"exp":${claims.iat + 90_000}`)),
  twisted("claims in single quotes", (claims) => JSON.stringify(claims).replaceAll('"', "'")),
  twisted("claims and a comma", (claims) => `${JSON.stringify(claims)},`),
  twisted("claims twice", (claims) => JSON.stringify(claims).repeat(2)),
  twisted("a token of ten kilobytes", () => ({ padding: "x".repeat(10_000) })),
];

const presented = (name: string, authorization: RefusedToken["authorization"]): RefusedToken => ({
  name,
  authorization,
});

const presentations: RefusedToken[] = [
  presented("no token", () => "Bearer"),
  presented("the word null", () => "Bearer null"),
  presented("a token without a scheme", (kit) => kit.signed()),
  ...["Basic", "Token", "JWT", "Bearer:", "Bearer,", "xBearer", "Bearerx"].map((scheme) =>
    presented(`the scheme ${scheme}`, (kit) => `${scheme} ${kit.signed()}`),
  ),
  presented("scheme and token without a space", (kit) => `Bearer${kit.signed()}`),
  presented("a tab after the scheme", (kit) => `Bearer\t${kit.signed()}`),
  presented("two tokens", (kit) => `Bearer ${kit.signed()} ${kit.signed()}`),
  presented("two tokens and a comma", (kit) => `Bearer ${kit.signed()}, Bearer ${kit.signed()}`),
  presented("the scheme twice", (kit) => `Bearer Bearer ${kit.signed()}`),
  presented("a quoted token", (kit) => `Bearer "${kit.signed()}"`),
  presented("a space in the token", (kit) => `Bearer ${kit.signed().replace(".", " .")}`),
  presented("a percent sign in the token", (kit) => `Bearer ${kit.signed().replace(".", "%2E")}`),
  presented(
    "the access ID and key as Basic",
    ({ keyFile }) => `Basic ${Buffer.from(`${keyFile.accessID}:x`).toString("base64")}`,
  ),
];

export const twistedTokens: RefusedToken[] = [...times, ...subjects, ...audiences, ...payloads, ...presentations];
