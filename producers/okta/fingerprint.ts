import { randomBytes, scrypt } from 'node:crypto';
import { promisify } from 'node:util';
import { sameSecret } from '#shared/secrets.js';

// Whether a secret is still the one that was given away, without keeping it: salted, and slow to guess.

const derive = promisify<string, Buffer, number, Buffer>(scrypt);
const form = /^(?<salt>[\w-]+)\.(?<hash>[\w-]+)$/;

export async function fingerprint(secret: string, salt = randomBytes(16)): Promise<string> {
  const hash = await derive(secret, salt, 32);
  return `${salt.toString('base64url')}.${hash.toString('base64url')}`;
}

export async function isFingerprintOf(print: string, secret: string): Promise<boolean> {
  const { salt } = form.exec(print)?.groups ?? {};
  return salt !== undefined && sameSecret(await fingerprint(secret, Buffer.from(salt, 'base64url')), print);
}
