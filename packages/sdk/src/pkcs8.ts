// SEQUENCE { OBJECT IDENTIFIER rsaEncryption (1.2.840.113549.1.1.1), NULL }
const rsaAlgorithm = [0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];
const version0 = [0x02, 0x01, 0x00];

/**
 * Wraps an RSA private key of PKCS#1 (RFC 8017, DER) as PKCS#8 (RFC 5208), the only form that WebCrypto imports.
 *
 * PKCS#8 is `SEQUENCE { version, algorithm, OCTET STRING { the PKCS#1 key } }`: a prefix, and the key as it was.
 */
export function pkcs8FromPkcs1(pkcs1: Uint8Array): Uint8Array<ArrayBuffer> {
  const octetString = [0x04, ...derLength(pkcs1.length)];
  const contentLength = version0.length + rsaAlgorithm.length + octetString.length + pkcs1.length;
  return Uint8Array.from([0x30, ...derLength(contentLength), ...version0, ...rsaAlgorithm, ...octetString, ...pkcs1]);
}

/** DER writes a length below 128 in one byte, and a longer one as a count of bytes and then the bytes. */
function derLength(length: number): number[] {
  if (length < 0x80) return [length];
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return [0x80 | bytes.length, ...bytes];
}
