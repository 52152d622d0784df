import { describe, expect, it } from 'vitest';
import { ssf } from './ssf.js';

const least = { type: 'ssf', issuer: 'https://idp.example.com/tenant', audience: 'https://sendoff.acme.com' };
const read = (more: object = {}) => ssf.schema.safeParse({ ...least, ...more });
const found = (more: object) =>
  ssf.findings({ ...least, ...more }, ['sources', 'ssf']).map(({ path, text }) => `${path.join('.')}: ${text}`);

describe('shared/config/sources/ssf', () => {
  it('needs no more than issuer and audience: pushed, and asked for what says something about access', () => {
    expect(read().data).toMatchObject({ delivery: 'push', poll: 60_000, audience: ['https://sendoff.acme.com'] });
    const events = read().data?.events ?? [];
    expect(events).toContain('https://schemas.openid.net/secevent/risc/event-type/account-purged');
    expect(events).not.toContain('https://schemas.openid.net/secevent/caep/event-type/session-presented');
  });

  it('keeps the issuer letter for letter, for tokens are compared with it', () => {
    for (const issuer of ['https://idp.example.com', 'https://idp.example.com/', 'https://idp.example.com/a/']) {
      expect(read({ issuer }).data?.issuer).toBe(issuer);
    }
  });

  it.each([
    'http://idp.example.com',
    'http://127.0.0.1:8080/tenant',
    'https://user:secret@idp.example.com',
    'https://idp.example.com/#x',
    'idp.example.com',
  ])('%s is no issuer', (issuer) => {
    expect(read({ issuer }).success).toBe(false);
  });

  it('takes one list of two push tokens while rotating, and never an empty one', () => {
    expect(read({ pushToken: ['new', 'old'] }).data?.pushToken).toEqual(['new', 'old']);
    for (const pushToken of ['', [], ['a', 'b', 'c']]) expect(read({ pushToken }).success).toBe(false);
  });

  it('says why it can be no authority', () => {
    expect(ssf.noDirectory({})).toContain('no directory');
  });

  it('names credentials that do not go together, or are half there', () => {
    expect(found({ token: 't', clientId: 'c' })).toEqual([
      expect.stringContaining('sources.ssf.clientId: does not go'),
    ]);
    expect(found({ clientId: 'c' })).toEqual([
      expect.stringContaining('sources.ssf.clientSecret: is missing'),
      expect.stringContaining('sources.ssf.tokenUrl: is missing'),
    ]);
    expect(found({})).toEqual([]);
  });

  it('polling needs credentials and a time', () => {
    expect(found({ delivery: 'poll', poll: 'off' })).toEqual([
      expect.stringContaining('sources.ssf.poll: does not go with delivery: poll'),
      expect.stringContaining('has no credentials to poll with'),
    ]);
    expect(found({ delivery: 'poll', token: 't' })).toEqual([]);
  });

  it('warns of a push token that can be guessed', () => {
    const config = read({ pushToken: 'short' }).data;
    if (config === undefined) throw new Error('it was not taken');
    expect(ssf.notices(config, 'sources.ssf')).toEqual([expect.stringContaining('sources.ssf.pushToken')]);
  });
});
