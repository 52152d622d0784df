import { describe, expect, it } from 'vitest';
import { type KnownChannel, verify } from './verify.js';

const now = new Date('2026-11-24T10:00:00.000Z');
const open = { remoteId: 'channel-1', expiresAt: new Date('2026-11-24T10:00:01.000Z') };
const check = (rawHeaders: string[], tokens = ['new-token', 'old-token'], channels: KnownChannel[] = [open]) =>
  verify({ rawHeaders }, tokens, async () => channels, now);
const headers = (token: string, id = 'channel-1') => ['X-Goog-Channel-ID', id, 'X-Goog-Channel-Token', token];
const refused = { ok: false, why: 'unauthenticated' };

describe('producers/google/verify', () => {
  it.each(['new-token', 'old-token'])('accepts %s from an open channel', async (token) => {
    expect(await check(headers(token))).toEqual({ ok: true });
  });

  it.each<[string, string[]]>([
    ['no header', []],
    ['no token', ['X-Goog-Channel-ID', 'channel-1']],
    ['no channel', ['X-Goog-Channel-Token', 'new-token']],
    ['an empty token', headers('')],
    ['another token', headers('other')],
    ['another case', headers('NEW-TOKEN')],
    ['a prefix', headers('new-toke')],
    ['more than the token', headers('new-token ')],
    ['an unknown channel', headers('new-token', 'channel-2')],
    ['two tokens, one of them right', [...headers('new-token'), 'x-goog-channel-token', 'x']],
    ['two channels, one of them open', [...headers('new-token'), 'x-goog-channel-id', 'channel-2']],
  ])('refuses %s', async (_, rawHeaders) => {
    expect(await check(rawHeaders)).toEqual(refused);
  });

  it.each([
    ['ended', { ...open, expiresAt: now }],
    ['has no end', { ...open, expiresAt: null }],
    ['has no id', { ...open, remoteId: null }],
  ])('refuses a channel that %s', async (_, channel) => {
    expect(await check(headers('new-token'), ['new-token'], [channel])).toEqual(refused);
  });

  it('looks for no channel as long as the token is wrong', async () => {
    const channels = () => Promise.reject(new Error('was asked'));
    expect(await verify({ rawHeaders: headers('wrong') }, ['new-token'], channels, now)).toEqual(refused);
  });

  it.each([[[]], [['']]])('never accepts anybody without a token of its own: %j', async (tokens) => {
    expect(await check(headers(''), tokens)).toEqual({ ok: false, why: 'misconfigured' });
  });
});
