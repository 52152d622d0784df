import { sameSecret } from '#shared/secrets.js';
import type { Answer, HookRequest, Verdict } from '../source.js';

/** Okta's challenge is a short opaque text; anything else is not echoed. */
const challengeForm = /^[\x21-\x7e]{1,512}$/;

/**
 * The secret in the Authorization header, verbatim, is all there is: no signature, no time (idp-events.md §1.3). Every
 * secret is compared, so that rotation takes no longer or shorter to refuse.
 */
export function verify({ rawHeaders }: HookRequest, secrets: readonly string[]): Verdict {
  const usable = secrets.filter((secret) => secret !== '');
  if (usable.length === 0) return { ok: false, why: 'misconfigured' };
  const given = valuesOf(rawHeaders, 'authorization');
  const [value] = given;
  if (value === undefined || given.length > 1) return { ok: false, why: 'unauthenticated' };
  const matches = usable.map((secret) => sameSecret(value, secret));
  return matches.includes(true) ? { ok: true } : { ok: false, why: 'unauthenticated' };
}

/** The one GET that Okta makes. Whether it carries the secret is not documented, so it need not (idp-events.md §1.2). */
export function answerChallenge({ headers }: HookRequest): Answer | null {
  const challenge = headers['x-okta-verification-challenge'];
  if (typeof challenge !== 'string' || !challengeForm.test(challenge)) return null;
  return { status: 200, headers: { 'content-type': 'application/json' }, body: { verification: challenge } };
}

function valuesOf(rawHeaders: readonly string[], name: string): string[] {
  return rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name);
}
