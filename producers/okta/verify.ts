import type { Answer, HookRequest, Verdict } from '../source.js';
import { verifyHeader } from '../untrusted.js';

/** Okta's challenge is a short opaque text; anything else is not echoed. */
const challengeForm = /^[\x21-\x7e]{1,512}$/;

/** The secret in the Authorization header, verbatim, is all there is: no signature, no time (idp-events.md §1.3). */
export function verify({ rawHeaders }: HookRequest, secrets: readonly string[]): Verdict {
  return verifyHeader(rawHeaders, 'authorization', secrets);
}

/** The one GET that Okta makes. Whether it carries the secret is not documented, so it need not (idp-events.md §1.2). */
export function answerChallenge({ headers }: HookRequest): Answer | null {
  const challenge = headers['x-okta-verification-challenge'];
  if (typeof challenge !== 'string' || !challengeForm.test(challenge)) return null;
  return { status: 200, headers: { 'content-type': 'application/json' }, body: { verification: challenge } };
}
