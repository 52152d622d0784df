import type { HookRequest, Verdict } from '../source.js';
import { isOneOf, onlyHeader } from '../untrusted.js';

/** A channel that was opened here. */
export interface KnownChannel {
  remoteId: string | null;
  expiresAt: Date | null;
}

/**
 * A channel's token and the channel itself are all there is: no signature, no time (idp-events.md §3.1). A token that got
 * out is worth nothing without the id of a channel that is open.
 * @param channels asked for the channel only once the token is right
 */
export async function verify(
  { rawHeaders }: Pick<HookRequest, 'rawHeaders'>,
  tokens: readonly string[],
  channels: (id: string) => Promise<readonly KnownChannel[]>,
  now: Date,
): Promise<Verdict> {
  const usable = tokens.filter((token) => token !== '');
  if (usable.length === 0) return { ok: false, why: 'misconfigured' };
  const given = onlyHeader(rawHeaders, 'x-goog-channel-token');
  const id = onlyHeader(rawHeaders, 'x-goog-channel-id');
  if (given === null || id === null || !isOneOf(given, usable)) return { ok: false, why: 'unauthenticated' };
  const isOpen = (await channels(id)).some(
    ({ remoteId, expiresAt }) => remoteId === id && expiresAt !== null && expiresAt > now,
  );
  return isOpen ? { ok: true } : { ok: false, why: 'unauthenticated' };
}
