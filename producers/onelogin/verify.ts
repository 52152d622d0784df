import { sameSecret } from '#shared/secrets.js';
import type { HookRequest, Verdict } from '../source.js';

/**
 * A header that an administrator chose is all the proof there is: no signature, no time (idp-events.md §4.1). Every
 * secret is compared, so that rotation takes no longer or shorter to refuse.
 */
export function verify({ rawHeaders }: HookRequest, secrets: readonly string[]): Verdict {
  const usable = secrets.filter((secret) => secret !== '');
  if (usable.length === 0) return { ok: false, why: 'misconfigured' };
  const given = rawHeaders.filter((_, i) => i % 2 === 1 && rawHeaders[i - 1]?.toLowerCase() === 'authorization');
  const [value] = given;
  if (value === undefined || given.length > 1) return { ok: false, why: 'unauthenticated' };
  const matches = usable.map((secret) => sameSecret(value, secret));
  return matches.includes(true) ? { ok: true } : { ok: false, why: 'unauthenticated' };
}
