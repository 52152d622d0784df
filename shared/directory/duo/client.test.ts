import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type DuoEmulator, startDuoEmulator } from '#test/emulators/duo/index.js';
import { DirectoryUnavailable } from '../directory.js';
import { authorizationOf, canonical, createDuoClient, type DuoClient } from './client.js';

describe('shared/directory/duo/client', () => {
  // Made by the vendor's own package, @duosecurity/duo_api 1.5.0 (signV5).
  const keys = { integrationKey: 'DIWJ8X6AEYOR5OMC6TQ1', secretKey: 'Zh5eGmUq9zpfQnyUIu5OL9iWoMMv5ZNmk3zLJ4Ep' };
  const date = 'Tue, 21 Aug 2012 17:29:18 GMT';

  it('signs as the vendor’s package does', () => {
    const host = 'API-12345678.duosecurity.com';
    expect(authorizationOf({ ...keys, host, path: '/admin/v1/users/DU1', query: '', date })).toBe(
      'Basic RElXSjhYNkFFWU9SNU9NQzZUUTE6MWM3Y2ZkODJlMWY2YmI0NzgyZGUxMGQ1YWZlMTAyNjY3NDVjYWRjN2EwMjk0MDAyZjdjNDUyMTRlMmYxMjMyNjk0NGFlMGY4ZWQzYjEzNmFmYTk5YzNkY2RhYzlkMzg1ZWY1YzVhMDZkZWQwY2EzYzZjZDk1NzZjZWY0YjMyNzI=',
    );
    const query = canonical({ username: "o'neil (jr)*!~@acme.com", limit: '10', email: 'ü@acme.com' });
    expect(query).toBe('email=%C3%BC%40acme.com&limit=10&username=o%27neil%20%28jr%29%2A%21~%40acme.com');
    expect(authorizationOf({ ...keys, host, path: '/admin/v1/users', query, date })).toBe(
      'Basic RElXSjhYNkFFWU9SNU9NQzZUUTE6OGYxMTg1YTI2NDE1NjlmY2NkNDI4MDQ1NzkwNTk4ZjZkMDIxYjJjYjc0YmRmMzY2OGZjNjYwMDViOGRiYzg3ZDczZTg0ZTM4MjNmNDRjOWUzMTNjMWUyY2ZhNmM5MGYwYmUwY2ZhOWU3ZmI1MWNhYzAyYzNlYzM0Mzg1YTk2NTQ=',
    );
  });

  describe('against Duo', () => {
    let duo: DuoEmulator;
    beforeAll(async () => {
      duo = await startDuoEmulator();
    });
    afterAll(() => duo.close());
    beforeEach(() => {
      duo.fault = null;
      duo.clockMs = 0;
      duo.requests.length = 0;
    });

    const client = (more: { secretKey?: string } = {}): DuoClient =>
      createDuoClient(
        'duo',
        {
          type: 'duo',
          apiHost: duo.host,
          baseUrl: duo.url,
          integrationKey: duo.integrationKey,
          secretKey: duo.secretKey,
          disabled: 'suspended',
          poll: null,
          ...more,
        },
        500,
      );
    const failureOf = async (one: DuoClient) => {
      const error = await one.ask('/admin/v1/users', { limit: '1' }).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(DirectoryUnavailable);
      return error as DirectoryUnavailable;
    };

    it('is understood whatever the parameters hold', async () => {
      const user = duo.addUser({ username: "o'neil (jr)*!~ +&=%ü", email: 'oneil@acme.com' });
      const answer = await client().ask('/admin/v1/users', { username: user.username });
      expect(answer).toMatchObject({ kind: 'ok', response: [{ user_id: user.user_id }] });
    });

    it('says of a wrong key what Duo says, and never the key', async () => {
      const { message, facts } = await failureOf(client({ secretKey: 'a-wrong-secret-key' }));
      expect(message).toContain('40103 Invalid signature');
      expect(message).not.toContain('clock');
      expect(message + JSON.stringify(facts)).not.toContain('a-wrong-secret-key');
    });

    it.each([
      [-10 * 60_000, '600 s ahead of'],
      [10 * 60_000, '600 s behind'],
    ])('names the clock when it is that which is wrong', async (clockMs, words) => {
      duo.clockMs = clockMs;
      const { message } = await failureOf(client());
      expect(message.replace(/59\d|60\d/, '600')).toContain(words);
    });

    it.each([
      ['7', 7_000],
      ['0', 1_000],
      ['86400', 15 * 60_000],
      [undefined, 32_000],
      ['soon', 32_000],
    ])('waits after a 429 with Retry-After %s, and does not ask again by itself', async (retryAfter, delayMs) => {
      const headers: Record<string, string> = retryAfter === undefined ? {} : { 'retry-after': retryAfter };
      duo.fault = { kind: 'status', status: 429, headers };
      expect(await failureOf(client())).toMatchObject({ delayMs, facts: { status: 429 } });
      expect(duo.requests).toHaveLength(1);
    });

    it.each([404, 403])('takes a %s for Duo’s only when it is in Duo’s words', async (status) => {
      duo.fault = { kind: 'status', status, body: { message: 'no route' } };
      await failureOf(client());
      duo.fault = { kind: 'status', status, body: { stat: 'FAIL', code: 50_000, message: 'another code' } };
      await failureOf(client());
      duo.fault = { kind: 'status', status, body: { stat: 'FAIL', code: status * 100 + 1, message: 'as documented' } };
      expect(await client().ask('/admin/v1/users')).toEqual({ kind: status === 404 ? 'not-found' : 'forbidden' });
    });

    it('follows no redirect', async () => {
      duo.fault = { kind: 'status', status: 302, headers: { location: `${duo.url}/admin/v1/users` } };
      expect((await failureOf(client())).facts).toMatchObject({ status: 302 });
      expect(duo.requests).toHaveLength(1);
    });
  });
});
