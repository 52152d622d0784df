import { expect, it } from 'vitest';
import { policyOf } from './policy.js';
import { configSchema } from './schema.js';

it('policyOf gives planner and gate what they need, and no secret', () => {
  const config = configSchema.parse({
    version: 1,
    authority: 'okta',
    sources: {
      okta: { type: 'okta', orgUrl: 'https://acme.okta.com', token: 'secret-token', hookSecret: 'secret-hook' },
    },
    accounts: {
      marketing: { apiKey: 'secret-key', mode: 'enforce', identity: '{local}+mkt@{domain}' },
      billing: { apiKey: 'secret-key', sso: false, subusers: ['eu'] },
    },
    targets: { twilio: { clientId: 'secret-id', clientSecret: 'secret-twilio', mode: 'approve' } },
    roles: {
      boss: { admin: true },
      marketer: { persona: 'marketer' },
      reader: { scopes: ['stats.read'] },
      brand: { subusers: { eu: { permission: 'restricted', scopes: ['mail.send'] }, us: { permission: 'admin' } } },
    },
    grants: [{ group: 'Marketers', account: 'marketing', role: 'marketer' }],
    offboarding: {
      terminated: 'restrict',
      restrictTo: ['stats.read'],
      grace: '72h',
      recheck: '10m',
      successor: 'none',
      successors: [{ group: 'Marketing', successor: 'head@acme.com' }],
      reassign: ['senders', 'address_whitelist', 'senders'],
      apiKeys: { match: '{local}', action: 'revoke', registered: 'successor' },
    },
    provisioning: { create: true, rescope: false, rename: false },
    protect: ['owner@acme.com'],
    limits: { admins: 3, runShare: 0.5, removals: { floor: 1, share: 0.1, max: 9, window: '1h' } },
    approvals: { approvers: ['ada'], expire: '2h' },
    reconcile: { every: '30m', orphans: 'remove' },
  });

  const policy = policyOf(config);

  expect(policy).toEqual({
    accounts: [
      { name: 'marketing', mode: 'enforce', sso: true, identity: '{local}+mkt@{domain}', subusers: 'all' },
      { name: 'billing', mode: 'observe', sso: false, identity: '{email}', subusers: ['eu'] },
    ],
    roles: {
      boss: { kind: 'admin' },
      marketer: { kind: 'persona', persona: 'marketer' },
      reader: { kind: 'scopes', scopes: ['stats.read'] },
      brand: {
        kind: 'subusers',
        subusers: [
          { name: 'eu', permission: 'restricted', scopes: ['mail.send'] },
          { name: 'us', permission: 'admin', scopes: [] },
        ],
      },
    },
    grants: [{ group: 'Marketers', account: 'marketing', role: 'marketer' }],
    offboarding: {
      terminated: 'restrict',
      suspended: 'restrict',
      unassigned: 'delete',
      restrictTo: ['stats.read'],
      graceMs: 259_200_000,
      recheckMs: 600_000,
      successor: 'none',
      successors: [{ group: 'Marketing', successor: 'head@acme.com' }],
      // Both generations of senders, each once.
      reassign: ['sender', 'legacy-sender', 'address-whitelist'],
      apiKeys: { match: '{local}', action: 'revoke', registered: 'successor' },
    },
    provisioning: { create: true, rescope: false, rename: false },
    protect: ['owner@acme.com'],
    limits: { admins: 3, runShare: 0.5, removals: { floor: 1, share: 0.1, max: 9, windowMs: 3_600_000 } },
    approvals: { approvers: ['ada'], expireMs: 7_200_000 },
    reconcile: { everyMs: 1_800_000, orphans: 'remove' },
    twilio: { mode: 'approve' },
  });
  expect(JSON.stringify(policy)).not.toContain('secret');
});

it('policyOf knows no Twilio user where Twilio is no target', () => {
  const config = configSchema.parse({
    version: 1,
    authority: 'okta',
    sources: { okta: { type: 'okta', orgUrl: 'https://acme.okta.com', token: 't', hookSecret: 'h' } },
    accounts: { marketing: { apiKey: 'SG.k' } },
  });
  expect(policyOf(config).twilio).toBeNull();
});
