import { describe, expect, it } from 'vitest';
import type { Access, Role } from '../types.js';
import { holdsRole, missingScopes } from './grants.js';

const scopes = (...list: string[]): Access => ({ admin: false, scopes: list, subusers: null });
const inEu = (...list: string[]): Access => ({
  admin: false,
  scopes: [],
  subusers: [{ id: 7, permission: 'restricted', scopes: list }],
});
const sso = { sso: true };
const here = { subuserIds: [{ id: 7, name: 'eu' }] };

describe('holdsRole', () => {
  const marketer: Role = { kind: 'persona', persona: 'marketer' };
  const shown = scopes('categories.read');

  it('takes a persona for what SendGrid showed when it was given last', () => {
    expect(holdsRole(shown, marketer, here, sso, { persona: 'marketer', shown })).toBe(true);
    expect(holdsRole(shown, marketer, here, sso, { persona: 'developer', shown })).toBe(false);
    expect(holdsRole(shown, marketer, here, sso, null)).toBe(false);
  });

  it('takes no other role for what was shown', () => {
    const role: Role = { kind: 'scopes', scopes: ['mail.send'] };
    expect(holdsRole(shown, role, here, sso, { persona: null, shown })).toBe(false);
  });

  it('does not miss what SendGrid manages for password teammates itself', () => {
    const role: Role = { kind: 'scopes', scopes: ['mail.send', 'user.email.update'] };
    expect(holdsRole(scopes('mail.send'), role, here, { sso: false }, null)).toBe(true);
    expect(holdsRole(scopes('mail.send'), role, here, { sso: true }, null)).toBe(false);
  });

  it('takes a role that can’t be told here for held: nothing is changed on a guess', () => {
    const role: Role = { kind: 'subusers', subusers: [{ name: 'gone', permission: 'admin', scopes: [] }] };
    expect(holdsRole(shown, role, here, sso, null)).toBe(true);
  });
});

describe('missingScopes', () => {
  it('names what was wanted and is not there, in the parent and inside subusers', () => {
    expect(missingScopes(scopes('mail.send', 'x.read'), scopes('stats.read', 'mail.send', 'alerts.read'))).toEqual([
      'alerts.read',
      'stats.read',
    ]);
    expect(missingScopes(inEu('mail.send'), inEu('mail.send', 'stats.read'))).toEqual(['stats.read']);
    expect(missingScopes(scopes(), inEu('stats.read'))).toEqual(['stats.read']);
  });

  it('not what every teammate has anyway', () => {
    expect(missingScopes(scopes(), scopes('user.profile.read', 'user.profile.update'))).toEqual([]);
  });
});
