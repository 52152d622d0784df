import { z } from 'zod';
import { withoutManaged } from '#shared/lifecycle/scopes.js';

// Pieces that several sections share. A message says what is wrong and, in parentheses, what to do.

/** Name of a source, an account or a role. */
export const name = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9-]*$/,
    'is no name (lower-case letters, digits and dashes, beginning with a letter or digit)',
  );

const needsSecret = 'is empty (give it its secret: an empty one would let everybody in, or nobody)';

/** A key, token or password that travels in an HTTP header. */
export const headerSecret = z
  .string()
  .min(1, needsSecret)
  .refine(fitsHeader, 'begins or ends with a blank, or holds a line break or control character (remove it)');

/** A secret that may have several lines. */
export const textSecret = z.string().refine((text) => text.trim() !== '', needsSecret);

export const scopes = z
  .array(
    z
      .string()
      .refine(
        (scope) => /^[a-z0-9_]+(\.[a-z0-9_]+)*$/.test(scope),
        'is no scope (write it as SendGrid does: mail.send)',
      )
      .refine(
        (scope) => withoutManaged([scope], { sso: true }).length > 0,
        'is a scope that SendGrid sets by itself (remove it)',
      ),
  )
  .min(1, 'is an empty list (name at least one scope: SendGrid takes no empty list)');

export function looksLikeAddress(text: string): boolean {
  return /^[^@\s]+@[^@\s]+\.[^@\s]+$/.test(text);
}

function fitsHeader(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are the subject
  return text === text.trim() && !/[\u0000-\u001f\u007f]/.test(text);
}
