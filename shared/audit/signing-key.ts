import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';
import { SendoffError } from '#shared/errors.js';

/** DER that turns a bare 32-byte seed into PKCS#8, and a bare public key into SPKI (RFC 8410). */
const seedPrefix = Buffer.from('302e020100300506032b657004220420', 'hex');
const publicPrefix = Buffer.from('302a300506032b6570032100', 'hex');

export interface Signer {
  /** Names the log and its key, as the origin of its checkpoints. */
  keyName: string;
  /** Four bytes by which a signed note tells keys of one name apart. */
  keyId: Buffer;
  /** Raw 32 bytes in base64. */
  publicKey: string;
  sign(bytes: Buffer | string): Buffer;
}

/**
 * An Ed25519 key as PKCS#8 PEM (literal `\n` accepted) or as base64 of its 32-byte seed (design.md, small print).
 * @param origin what the log is called in its checkpoints, such as `sendoff.acme.com/audit`; by default
 *   `sendoff/<first bytes of the key's hash>`, so that two installations never share a name
 * @throws SendoffError SIGNING_KEY_INVALID; it never holds the text
 */
export function loadSigningKey(text: string, origin?: string): Signer {
  const key = parseKey(text.trim().replaceAll('\\n', '\n'));
  if (key === null || key.asymmetricKeyType !== 'ed25519') {
    throw new SendoffError('SENDOFF_SIGNING_KEY is no Ed25519 private key', {
      code: 'SIGNING_KEY_INVALID',
      blame: 'input',
      remedy: 'give it as PKCS#8 PEM (openssl genpkey -algorithm ed25519) or as base64 of its 32-byte seed',
    });
  }
  const publicKey = createPublicKey(key).export({ type: 'spki', format: 'der' }).subarray(-32);
  const keyName = origin ?? `sendoff/${createHash('sha256').update(publicKey).digest('hex').slice(0, 12)}`;
  return {
    keyName,
    keyId: keyIdOf(keyName, publicKey),
    publicKey: publicKey.toString('base64'),
    sign: (bytes) => sign(null, Buffer.from(bytes as string), key),
  };
}

/** C2SP signed note: the first bytes of a hash over name, signature type (1 is Ed25519) and key. */
export function keyIdOf(keyName: string, publicKey: Buffer): Buffer {
  return createHash('sha256').update(`${keyName}\n\x01`).update(publicKey).digest().subarray(0, 4);
}

/** @returns a new key as PKCS#8 PEM */
export function generateSigningKey(): string {
  return generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** @param publicKey raw 32 bytes in base64; anything else signs nothing */
export function isSignedBy(publicKey: string, bytes: Buffer | string, signature: Buffer): boolean {
  const raw = Buffer.from(publicKey, 'base64');
  if (raw.length !== 32) return false;
  const key = createPublicKey({ key: Buffer.concat([publicPrefix, raw]), format: 'der', type: 'spki' });
  return verify(null, Buffer.from(bytes as string), key, signature);
}

function parseKey(text: string): KeyObject | null {
  try {
    if (text.startsWith('-----')) return createPrivateKey(text);
    // Node reads any text as base64, a passphrase too: only what is exactly one seed is taken.
    if (!/^[\w+/-]{43}=?$/.test(text)) return null;
    const seed = Buffer.from(text, 'base64');
    return createPrivateKey({ key: Buffer.concat([seedPrefix, seed]), format: 'der', type: 'pkcs8' });
  } catch {
    return null;
  }
}
