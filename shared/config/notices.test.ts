import { describe, expect, it } from 'vitest';
import { noticesFor } from './notices.js';
import { configSchema } from './schema.js';

function noticesOf(
  more: Record<string, unknown>,
  okta: Record<string, unknown> = {},
  account: Record<string, unknown> = {},
): string[] {
  const raw = {
    version: 1,
    authority: 'okta',
    sources: {
      okta: {
        type: 'okta',
        orgUrl: 'https://acme.okta.com',
        token: 't',
        hookSecret: 'a-hook-secret-of-24-chars',
        ...okta,
      },
    },
    accounts: { marketing: { apiKey: 'SG.k', ...account } },
    ...more,
  };
  return noticesFor(configSchema.parse(raw));
}

describe('noticesFor', () => {
  it('says nothing about what is as it should be', () => {
    expect(noticesOf({})).toEqual([]);
    expect(
      noticesOf(
        {
          offboarding: {
            terminated: 'delete',
            suspended: 'restrict',
            unassigned: 'delete',
            restrictTo: ['user.profile.read'],
            grace: '72h',
            recheck: '10m',
            successor: 'manager',
            successors: [{ group: 'G', successor: 'head@acme.com' }],
            reassign: ['alerts'],
            apiKeys: { action: 'revoke', registered: 'successor' },
          },
          provisioning: { create: true },
          protect: ['owner@acme.com'],
          limits: { admins: 2, removals: { max: 5 }, runShare: 0.1 },
          approvals: { approvers: ['ada'] },
          reconcile: { every: '1h' },
          targets: { twilio: { clientId: 'a', clientSecret: 'b' } },
          roles: { r: { admin: true } },
          grants: [{ group: 'G', account: 'marketing', role: 'r' }],
        },
        { app: '0oa1', poll: 'off' },
        { mode: 'enforce', sso: true, identity: '{email}', subusers: 'all' },
      ),
    ).toEqual([]);
  });

  it('warns of a hook secret that can be guessed, without showing it', () => {
    expect(noticesOf({}, { hookSecret: ['a-hook-secret-of-24-chars', 'hush'] })).toEqual([
      'sources.okta.hookSecret: is shorter than 16 characters and can be guessed (make a longer one: openssl rand -hex 24)',
    ]);
  });

  it('doubts a scope that SendGrid is not known to have', () => {
    expect(noticesOf({ offboarding: { restrictTo: ['user.profile.edit', 'stats.read', 'brand.new'] } })).toEqual([
      'offboarding.restrictTo: user.profile.edit is no scope that Sendoff knows (did you mean user.profile.read?); SendGrid may refuse it',
      'offboarding.restrictTo: brand.new is no scope that Sendoff knows; SendGrid may refuse it',
    ]);
  });
});
