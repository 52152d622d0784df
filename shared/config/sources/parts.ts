import { z } from 'zod';
import { duration } from '../duration.js';
import { headerSecret, name } from '../schema-parts.js';

// Pieces that several sources share.

/** From this length on a secret withstands guessing. */
const strongSecret = 16;

const noSecret = 'is an empty list (give at least one secret)';
const twoSecrets = 'is neither a secret nor a list of two (write one text, or a list of two while rotating)';

/** One secret, or two while rotating: becomes a list. */
export const rotatingSecret = z
  .union([headerSecret, z.array(headerSecret).min(1, noSecret).max(2, twoSecrets)], twoSecrets)
  .transform((value) => (typeof value === 'string' ? [value] : value));

/** An interval, or `off`, which becomes null. */
export const poll = z
  .union([z.literal('off'), duration({ min: '1s', max: '7d' })], 'is no duration (write 60s or longer, or "off")')
  .transform((value) => (value === 'off' ? null : value));

/** For a source that has no directory of its own. */
export const ids = name
  .optional()
  .describe('The source whose directory ids this one’s subjects are; without it they are known by address alone');

/** Environment variables often carry a PEM on one line. */
export function withLineBreaks(key: string): string {
  return key.startsWith('-----BEGIN') ? key.replaceAll('\\n', '\n') : key;
}

export function weakSecretNotices(secrets: readonly string[], path: string): string[] {
  if (secrets.every((secret) => secret.length >= strongSecret)) return [];
  return [
    `${path}: is shorter than ${strongSecret} characters and can be guessed (make a longer one: openssl rand -hex 24)`,
  ];
}
