/** Tokens whose signature, algorithm or form is not what an API key makes. */
import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { ecdsa, hmac, jws, partsOf, rsa, rsaPss, type Signer, unsigned } from "./jws.ts";
import { honestHeader, type RefusedToken, type TokenKit } from "./token-kit.ts";

const forged = (name: string, token: (kit: TokenKit) => string): RefusedToken => ({
  name,
  authorization: (kit) => `Bearer ${token(kit)}`,
});

/** Honest claims under this header and signature. */
const madeWith = (name: string, header: object, signer: (kit: TokenKit) => Signer): RefusedToken =>
  forged(name, (kit) => jws({ ...honestHeader, ...header }, kit.claims, signer(kit)));

/** An honest token whose signature was changed on the way. */
const changed = (name: string, change: (signature: string) => string): RefusedToken =>
  forged(name, (kit) => {
    const [header, payload, signature] = partsOf(kit.signed());
    return `${header}.${payload}.${change(signature)}`;
  });

const withBytes = (name: string, bytes: (length: number) => Buffer) =>
  changed(name, (signature) => bytes(Buffer.from(signature, "base64url").length).toString("base64url"));

/** Another letter in the same place. */
const otherLetter = (letter = "") => (letter === "A" ? "B" : "A");

const algorithms: RefusedToken[] = [
  ...["none", "None", "NONE", "nOnE"].map((alg) => madeWith(`alg ${alg} without a signature`, { alg }, () => unsigned)),
  madeWith("alg none with an honest signature", { alg: "none" }, ({ key }) => rsa(key)),
  madeWith("alg RS256 without a signature", {}, () => unsigned),
  madeWith("HS256 with the public key's PEM", { alg: "HS256" }, ({ publicPem }) => hmac(publicPem)),
  madeWith("HS256 with the trimmed PEM", { alg: "HS256" }, ({ publicPem }) => hmac(publicPem.trim())),
  madeWith("HS384 with the PEM", { alg: "HS384" }, ({ publicPem }) => hmac(publicPem, "sha384")),
  madeWith("HS512 with the PEM", { alg: "HS512" }, ({ publicPem }) => hmac(publicPem, "sha512")),
  madeWith("HS256 with the public key's DER", { alg: "HS256" }, ({ publicKey }) =>
    hmac(publicKey.export({ type: "spki", format: "der" })),
  ),
  madeWith("HS256 with the PKCS#1 PEM", { alg: "HS256" }, ({ publicKey }) =>
    hmac(publicKey.export({ type: "pkcs1", format: "pem" })),
  ),
  madeWith("HS256 with an empty secret", { alg: "HS256" }, () => hmac("")),
  madeWith("HS256 with the access ID", { alg: "HS256" }, ({ keyFile }) => hmac(keyFile.accessID)),
  madeWith("RS256 whose signature is an HMAC under the PEM", {}, ({ publicPem }) => hmac(publicPem)),
  madeWith("PS256 by the right key", { alg: "PS256" }, ({ key }) => rsaPss(key)),
  madeWith("RS384 by the right key", { alg: "RS384" }, ({ key }) => rsa(key, "sha384")),
  madeWith("RS512 by the right key", { alg: "RS512" }, ({ key }) => rsa(key, "sha512")),
  madeWith("RS256 that is PSS", {}, ({ key }) => rsaPss(key)),
  madeWith("RS256 over SHA-512", {}, ({ key }) => rsa(key, "sha512")),
  madeWith("RS256 over SHA-1", {}, ({ key }) => rsa(key, "sha1")),
  madeWith("PS256 that is PKCS#1", { alg: "PS256" }, ({ key }) => rsa(key)),
  madeWith("ES256", { alg: "ES256" }, ({ ecKey }) => ecdsa(ecKey)),
  madeWith("ES256 by RSA", { alg: "ES256" }, ({ key }) => rsa(key)),
  madeWith("RS256 that is ECDSA", {}, ({ ecKey }) => ecdsa(ecKey, "der")),
  madeWith("ES256 with an all-zero signature", { alg: "ES256" }, () => () => Buffer.alloc(64)),
  ...["rs256", "RS256 ", "RSA", "", null, 256, ["RS256"], { name: "RS256" }].map((alg) =>
    madeWith(`alg ${JSON.stringify(alg)}`, { alg }, ({ key }) => rsa(key)),
  ),
  forged("no alg", (kit) => jws({ typ: "JWT" }, kit.claims, rsa(kit.key))),
  forged("alg RS256 and then none", (kit) => jws('{"alg":"RS256","alg":"none"}', kit.claims, rsa(kit.key))),
];

const strangers: RefusedToken[] = [
  madeWith("a stranger's signature", {}, ({ strangerKey }) => rsa(strangerKey)),
  forged("a stranger's key in jwk", (kit) => {
    const jwk = createPublicKey(kit.strangerKey).export({ format: "jwk" });
    return jws({ ...honestHeader, jwk }, kit.claims, rsa(kit.strangerKey));
  }),
  forged("a stranger's key in x5c", (kit) => {
    const der = createPublicKey(kit.strangerKey).export({ type: "spki", format: "der" });
    return jws({ ...honestHeader, x5c: [der.toString("base64")] }, kit.claims, rsa(kit.strangerKey));
  }),
  forged("a new short key in jwk", (kit) => {
    const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 1_024 });
    return jws({ ...honestHeader, jwk: publicKey.export({ format: "jwk" }) }, kit.claims, rsa(privateKey));
  }),
  madeWith("kid of an empty file", { alg: "HS256", kid: "../../../../dev/null" }, () => hmac("")),
  madeWith("kid that is SQL", { alg: "HS256", kid: "x' UNION SELECT 'secret" }, () => hmac("secret")),
];

const signatures: RefusedToken[] = [
  changed("an empty signature", () => ""),
  changed("a signature short of a letter", (signature) => signature.slice(0, -1)),
  changed("a signature short of a byte at its start", (signature) =>
    Buffer.from(signature, "base64url").subarray(1).toString("base64url"),
  ),
  changed("half a signature", (signature) => signature.slice(0, signature.length / 2)),
  changed("a signature and four letters", (signature) => `${signature}AAAA`),
  changed("a signature with zeros before it", (signature) => `AAAA${signature}`),
  changed("a signature twice", (signature) => signature + signature),
  changed("another first letter", (signature) => otherLetter(signature[0]) + signature.slice(1)),
  changed("another last letter", (signature) => signature.slice(0, -1) + otherLetter(signature.at(-1))),
  changed("another letter amid it", (signature) => {
    const middle = Math.floor(signature.length / 2);
    return signature.slice(0, middle) + otherLetter(signature[middle]) + signature.slice(middle + 1);
  }),
  withBytes("a signature of zeros", (length) => Buffer.alloc(length)),
  withBytes("a signature of ones", (length) => Buffer.alloc(length, 0xff)),
  withBytes("a signature that is the number 1", (length) =>
    Buffer.concat([Buffer.alloc(length - 1), Buffer.from([1])]),
  ),
  forged("the signature of another token", (kit) => {
    const [header, payload] = partsOf(kit.signed());
    return `${header}.${payload}.${partsOf(kit.signed({ exp: kit.claims.exp + 1 }))[2]}`;
  }),
  forged("another payload under an honest signature", (kit) => {
    const [header, , signature] = partsOf(kit.signed());
    return `${header}.${partsOf(kit.signed({ exp: kit.claims.exp + 1 }))[1]}.${signature}`;
  }),
  forged("another header under an honest signature", (kit) => {
    const [, payload, signature] = partsOf(kit.signed());
    return `${partsOf(kit.signed({}, { kid: "1" }))[0]}.${payload}.${signature}`;
  }),
];

const headers: RefusedToken[] = [
  ...["at+jwt", "JWE", "JOSE", "", 1, null, ["JWT"]].map((typ) =>
    madeWith(`typ ${JSON.stringify(typ)}`, { typ }, ({ key }) => rsa(key)),
  ),
  ...[["exp"], ["urn:strange"], ["b64"], [], "exp", [1]].map((crit) =>
    madeWith(`crit ${JSON.stringify(crit)}`, { crit }, ({ key }) => rsa(key)),
  ),
  madeWith("b64 false and critical", { b64: false, crit: ["b64"] }, ({ key }) => rsa(key)),
  ...["[]", "null", '"RS256"', "", "{", '{"alg":"RS256",}'].map((header) =>
    forged(`header ${header}`, (kit) => jws(header, kit.claims, rsa(kit.key))),
  ),
];

const forms: RefusedToken[] = [
  forged("a payload alone", (kit) => partsOf(kit.signed())[1]),
  forged("header and payload", (kit) => partsOf(kit.signed()).slice(0, 2).join(".")),
  forged("four parts", (kit) => `${kit.signed()}.AAAA`),
  forged("a dot at its end", (kit) => `${kit.signed()}.`),
  forged("five parts, as a JWE has", (kit) => `${kit.signed({}, { enc: "A256GCM" })}.AAAA.AAAA`),
  forged("dots alone", () => ".."),
  forged("a token inside a token", (kit) => jws({ ...honestHeader, cty: "JWT" }, kit.signed(), rsa(kit.key))),
  forged("the public key", (kit) => Buffer.from(kit.publicPem).toString("base64url")),
];

export const forgedSignatures: RefusedToken[] = [...algorithms, ...strangers, ...signatures, ...headers, ...forms];
