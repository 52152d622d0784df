import type { HookRequest, Verdict } from '../source.js';
import { verifyHeader } from '../untrusted.js';

/** A header that an administrator chose is all the proof there is: no signature, no time (idp-events.md §4.1). */
export function verify({ rawHeaders }: HookRequest, secrets: readonly string[]): Verdict {
  return verifyHeader(rawHeaders, 'authorization', secrets);
}
