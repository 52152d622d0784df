import { describe, expect, it } from 'vitest';
import { onelogin } from './onelogin.js';

const source = {
  type: 'onelogin',
  baseUrl: 'https://Acme.onelogin.com/',
  clientId: 'id',
  clientSecret: 'secret',
  hookSecret: 'Bearer 0123456789abcdef',
};
const messageOf = (more: Record<string, unknown>) =>
  onelogin.schema.safeParse({ ...source, ...more }).error?.issues[0]?.message;

describe('shared/config/sources/onelogin', () => {
  it('needs little', () => {
    expect(onelogin.schema.parse(source)).toEqual({
      ...source,
      baseUrl: 'https://acme.onelogin.com',
      hookSecret: [source.hookSecret],
      groupsFrom: 'roles',
      poll: 60_000,
    });
  });

  it('takes an app’s id as YAML reads it', () => {
    expect(onelogin.schema.parse({ ...source, app: 123456 }).app).toBe('123456');
    expect(onelogin.schema.parse({ ...source, app: '123456' }).app).toBe('123456');
  });

  it.each<[string, Record<string, unknown>, RegExp]>([
    ['plain http', { baseUrl: 'http://acme.onelogin.com' }, /no OneLogin account/],
    ['a path', { baseUrl: 'https://acme.onelogin.com/admin' }, /no OneLogin account/],
    ['the shared API host', { baseUrl: 'https://api.us.onelogin.com' }, /all customers .* share/],
    ['an app by name', { app: 'SendGrid' }, /no app id/],
    ['another choice of groups', { groupsFrom: 'teams' }, /roles, group or both/],
    ['three secrets', { hookSecret: ['a', 'b', 'c'] }, /list of two/],
  ])('refuses %s, with a remedy', (_, more, message) => {
    expect(messageOf(more)).toMatch(message);
  });

  it('warns of a secret that can be guessed', () => {
    const parsed = onelogin.schema.parse({ ...source, hookSecret: 'short' });
    expect(onelogin.notices(parsed, 'sources.onelogin')).toHaveLength(1);
  });
});
