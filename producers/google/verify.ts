import { sameSecret } from '#shared/secrets.js';
import type { HookRequest, Verdict } from '../source.js';

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
  const given = headerOf(rawHeaders, 'x-goog-channel-token');
  const id = headerOf(rawHeaders, 'x-goog-channel-id');
  if (given === null || id === null) return { ok: false, why: 'unauthenticated' };
  const matches = usable.map((token) => sameSecret(given, token));
  if (!matches.includes(true)) return { ok: false, why: 'unauthenticated' };
  const isOpen = (await channels(id)).some(
    ({ remoteId, expiresAt }) => remoteId === id && expiresAt !== null && expiresAt > now,
  );
  return isOpen ? { ok: true } : { ok: false, why: 'unauthenticated' };
}

/** @returns null when it is not there, or there twice */
export function headerOf(rawHeaders: readonly string[], name: string): string | null {
  const values = rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name);
  return values.length === 1 ? (values[0] ?? null) : null;
}
