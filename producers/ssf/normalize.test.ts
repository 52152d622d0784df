import { describe, expect, it } from 'vitest';
import { normalize, type Reading } from './normalize.js';
import type { VerifiedSet } from './verify.js';

const base = 'https://schemas.openid.net/secevent/';
const issuer = 'https://idp.example.com/123456789/';
const email = { format: 'email', email: 'jane@acme.com' };
const types = [
  ...['account-disabled', 'account-enabled', 'account-purged', 'identifier-changed', 'identifier-recycled'],
  ...['account-credential-change-required', 'credential-compromise', 'recovery-activated'],
].map((type) => `${base}risc/event-type/${type}`);
const reading: Reading = {
  issuer,
  events: [...types, ...['session-revoked', 'token-claims-change'].map((type) => `${base}caep/event-type/${type}`)],
  hasIds: false,
  tenant: null,
  critical: [],
};
const withIds = { ...reading, hasIds: true };

const set = (type: string, subject: unknown = email, event: unknown = {}): VerifiedSet => ({
  token: 'a.b.c',
  iss: issuer,
  jti: 'j1',
  at: 1_615_304_991,
  types: [type.includes('://') ? type : base + type],
  subject,
  event,
});
const disabled = (subject: unknown, how = reading) => normalize(set('risc/event-type/account-disabled', subject), how);

describe('producers/ssf/normalize: what events mean', () => {
  it.each([
    ['risc/event-type/account-disabled', 'suspended'],
    ['risc/event-type/account-enabled', 'reactivated'],
    ['risc/event-type/account-purged', 'terminated'],
    ['risc/event-type/identifier-changed', 'renamed'],
    ['risc/event-type/credential-compromise', 'moved'],
    ['risc/event-type/account-credential-change-required', 'moved'],
    ['risc/event-type/recovery-activated', 'moved'],
    ['caep/event-type/token-claims-change', 'moved'],
  ])('%s is %s', (type, meaning) => {
    expect(normalize(set(type), reading)).toEqual({
      outcome: 'event',
      type: meaning,
      eventId: `${issuer} j1`,
      occurredAt: new Date('2021-03-09T15:49:51Z'),
      raw: 'a.b.c',
      senderType: base + type,
      person: { directoryId: null, email: 'jane@acme.com' },
    });
  });

  it('a revoked session is no leaver: it only makes the directory be read', () => {
    expect(normalize(set('caep/event-type/session-revoked'), reading)).toMatchObject({
      outcome: 'event',
      type: 'moved',
    });
  });

  it('an address that is somebody else’s now is put to a human, and is never an event', () => {
    expect(normalize(set('risc/event-type/identifier-recycled'), reading)).toMatchObject({
      outcome: 'ignored',
      proposes: { email: 'jane@acme.com' },
    });
    const id = { format: 'opaque', id: '00u-jane' };
    expect(normalize(set('risc/event-type/identifier-recycled', id), { ...reading, hasIds: true })).toMatchObject({
      outcome: 'quarantined',
    });
  });

  it('a changed address is about whoever had the old one', () => {
    const event = { 'new-value': 'jane.roe@acme.com' };
    expect(normalize(set('risc/event-type/identifier-changed', email, event), reading)).toMatchObject({
      type: 'renamed',
      person: { email: 'jane@acme.com' },
    });
  });

  it.each([
    'risc/event-type/sessions-revoked',
    'risc/event-type/opt-out-initiated',
    'caep/event-type/credential-change',
    'caep/event-type/assurance-level-change',
    'caep/event-type/device-compliance-change',
    'caep/event-type/risk-level-change',
    'caep/event-type/session-established',
    'caep/event-type/session-presented',
    'https://schemas.okta.com/secevent/okta/event-type/user-risk-change',
    'https://evil.example.com/secevent/risc/event-type/account-purged',
    'constructor',
    '__proto__',
  ])('%s is ignored, with a reason', (type) => {
    expect(normalize(set(type), reading)).toMatchObject({ outcome: 'ignored', reason: expect.any(String) });
  });

  it('what was not asked for is ignored', () => {
    const only = { ...reading, events: [`${base}risc/event-type/account-purged`] };
    expect(disabled(email, only)).toMatchObject({ outcome: 'ignored', reason: expect.stringContaining('events') });
  });

  it('an alias of a type means what the type means', () => {
    const aliased = {
      ...set('risc/event-type/account-purged'),
      types: ['https://old.example.com/account-purged', `${base}risc/event-type/account-purged`],
    };
    expect(normalize(aliased, reading)).toMatchObject({ outcome: 'event', type: 'terminated' });
  });

  it.each([
    [{ status: 'paused', reason: 'Disk full' }, 'paused (its reason: Disk full)'],
    [{}, 'unknown (its reason: none given)'],
  ])('a change of the stream is kept with what was said of it: %j', (event, said) => {
    expect(
      normalize(set('ssf/event-type/stream-updated', { format: 'opaque', id: 's' }, event), reading),
    ).toMatchObject({
      outcome: 'ignored',
      reason: expect.stringContaining(said),
    });
  });

  it('a verification is kept as the proof that it is', () => {
    const verification = set('ssf/event-type/verification', { format: 'opaque', id: 's' }, { state: 'x' });
    expect(normalize(verification, reading)).toMatchObject({
      outcome: 'ignored',
      reason: expect.stringContaining('works'),
    });
  });
});

describe('producers/ssf/normalize: who is meant', () => {
  it.each<[string, unknown]>([
    ['email', email],
    ['account', { format: 'account', uri: 'acct:jane@acme.com' }],
    ['iss_sub with an address', { format: 'iss_sub', iss: 'https://other.example.com', sub: 'jane@acme.com' }],
    ['aliases', { format: 'aliases', identifiers: [{ format: 'phone_number', phone_number: '+1' }, email] }],
    ['the user of a complex one', { format: 'complex', user: email, device: { format: 'opaque', id: 'd' } }],
    ['a complex one of the draft', { user: email, tenant: { format: 'opaque', id: 't' } }],
    ['Google’s', { subject_type: 'email', email: 'jane@acme.com' }],
    ['Google’s claims', { subject_type: 'id_token_claims', iss: issuer, sub: '7', email: 'jane@acme.com' }],
    ['the draft’s iss-sub', { subject_type: 'iss-sub', iss: issuer, sub: 'jane@acme.com' }],
  ])('%s: by address', (_, subject) => {
    expect(disabled(subject)).toMatchObject({
      outcome: 'event',
      person: { directoryId: null, email: 'jane@acme.com' },
    });
  });

  it('an older transmitter’s subject stands within the event', () => {
    const old = set('risc/event-type/account-disabled', null, {
      subject: { subject_type: 'email', email: 'jane@acme.com' },
    });
    expect(normalize(old, reading)).toMatchObject({ outcome: 'event', person: { email: 'jane@acme.com' } });
  });

  it.each<[string, unknown]>([
    ['iss_sub', { format: 'iss_sub', iss: issuer, sub: '00u1' }],
    ['iss_sub without the slash', { format: 'iss_sub', iss: issuer.slice(0, -1), sub: '00u1' }],
    ['opaque', { format: 'opaque', id: '00u1' }],
    ['the user of a complex one', { format: 'complex', user: { format: 'opaque', id: '00u1' } }],
    ['aliases', { format: 'aliases', identifiers: [{ format: 'phone_number' }, { format: 'opaque', id: '00u1' }] }],
  ])('%s: by id, when it is known whose ids they are', (_, subject) => {
    expect(disabled(subject, withIds)).toMatchObject({
      outcome: 'event',
      person: { directoryId: '00u1', email: null },
    });
    expect(disabled(subject)).toMatchObject({ outcome: 'ignored', reason: expect.stringContaining('ids') });
  });

  it('id and address together, when both are the issuer’s word', () => {
    const identifiers = [email, { format: 'iss_sub', iss: issuer, sub: '00u1' }];
    expect(disabled({ format: 'aliases', identifiers }, withIds)).toMatchObject({
      person: { directoryId: '00u1', email: 'jane@acme.com' },
    });
  });

  it.each([
    ['another issuer’s', { format: 'iss_sub', iss: 'https://mdm.example.com', sub: '42' }],
    ['an opaque one', { format: 'opaque', id: '42' }],
  ])('%s id never stands beside an address: found nowhere, it would make its holder look gone', (_, id) => {
    expect(disabled({ format: 'aliases', identifiers: [id, email] }, withIds)).toMatchObject({
      person: { directoryId: null, email: 'jane@acme.com' },
    });
  });

  it.each<[string, unknown]>([
    ['a phone', { format: 'phone_number', phone_number: '+12065550100' }],
    ['a did', { format: 'did', url: 'did:example:123456' }],
    ['a token', { format: 'jwt_id', iss: issuer, jti: 'f61t6e20' }],
    ['an assertion', { format: 'saml_assertion_id', issuer, assertion_id: '_a75' }],
    ['a device alone', { format: 'complex', device: { format: 'opaque', id: 'd' } }],
    ['another issuer’s id', { format: 'iss_sub', iss: 'https://mdm.example.com', sub: '42' }],
    ['a format of the future', { format: 'ip-addresses', 'ip-addresses': ['10.0.0.1'] }],
  ])('%s is nobody: ignored with a reason, with ids and without', (_, subject) => {
    for (const how of [reading, withIds]) {
      expect(disabled(subject, how)).toMatchObject({ outcome: 'ignored', reason: expect.any(String) });
    }
  });

  it.each<[string, unknown]>([
    ['no subject', null],
    ['text', 'jane@acme.com'],
    ['an address that is none', { format: 'email', email: 'jane' }],
    ['an address that is no text', { format: 'email', email: ['jane@acme.com'] }],
    ['no format', { email: 'jane@acme.com' }],
    ['aliases of nothing', { format: 'aliases', identifiers: [] }],
    ['aliases within aliases', { format: 'aliases', identifiers: [{ format: 'aliases', identifiers: 7 }] }],
    ['forbidden keys', JSON.parse('{"format":"email","email":"jane@acme.com","__proto__":{"a":1}}')],
    ['an abyss', JSON.parse(`${'{"user":'.repeat(40)}{}${'}'.repeat(40)}`)],
  ])('%s is quarantined', (_, subject) => {
    expect(disabled(subject)).toMatchObject({ outcome: 'quarantined', eventId: `${issuer} j1` });
  });

  it('an event that is no object is quarantined, even of a type that carries nothing', () => {
    expect(normalize(set('risc/event-type/account-disabled', email, 'x'), reading)).toMatchObject({
      outcome: 'quarantined',
    });
  });
});

describe('producers/ssf/normalize: what narrows a subject', () => {
  const inTenant = (id: string) => ({ format: 'complex', user: email, tenant: { format: 'opaque', id } });

  it('another tenant’s people are not ours', () => {
    const ours = { ...reading, tenant: 't1', critical: ['tenant', 'user'] };
    expect(disabled(inTenant('t1'), ours)).toMatchObject({ outcome: 'event' });
    expect(disabled(inTenant('t2'), ours)).toMatchObject({
      outcome: 'ignored',
      reason: expect.stringContaining('tenant'),
    });
  });

  it('what the transmitter wants understood and we do not is left to a human', () => {
    const critical = { ...reading, critical: ['tenant', 'group'] };
    expect(disabled(inTenant('t1'), critical)).toMatchObject({
      outcome: 'quarantined',
      reason: expect.stringContaining('tenant'),
    });
    const group = { format: 'complex', user: email, group: { format: 'opaque', id: 'g' } };
    expect(disabled(group, critical)).toMatchObject({ outcome: 'quarantined' });
    expect(disabled({ format: 'complex', user: email }, critical)).toMatchObject({ outcome: 'event' });
  });
});

describe('producers/ssf/normalize: odd times and forgeries', () => {
  it.each([-1, 1e15])('no time is made of %d', (at) => {
    expect(normalize({ ...set('risc/event-type/account-disabled'), at }, reading)).toMatchObject({ occurredAt: null });
  });
});

describe('producers/ssf/normalize: the samples of the specifications', () => {
  const sample = (type: string, sub_id: unknown, event: unknown) => normalize(set(type, sub_id, event), reading);
  it.each<[string, unknown, unknown, object]>([
    [
      'caep/event-type/session-revoked',
      { format: 'opaque', id: 'dMTlD|1600802906337.16|16008.16' },
      { event_timestamp: 1_615_304_991 },
      { outcome: 'ignored' },
    ],
    [
      'caep/event-type/session-revoked',
      {
        format: 'complex',
        user: { format: 'iss_sub', iss: issuer, sub: 'jane.smith@example.com' },
        device: { format: 'iss_sub', iss: issuer, sub: 'e9297990-14d2-42ec-a4a9-4036db86509a' },
        tenant: { format: 'opaque', id: '123456789' },
      },
      { initiating_entity: 'policy', reason_admin: { en: 'Policy Violation: C076E822' } },
      { outcome: 'event', type: 'moved', person: { directoryId: null, email: 'jane.smith@example.com' } },
    ],
    [
      'risc/event-type/account-disabled',
      { format: 'iss_sub', iss: 'https://idp.example.com/', sub: '7375626A656374' },
      { reason: 'hijacking' },
      { outcome: 'ignored' },
    ],
    [
      'risc/event-type/account-enabled',
      { format: 'email', email: 'foo@example.com' },
      {},
      { outcome: 'event', type: 'reactivated', person: { email: 'foo@example.com' } },
    ],
    [
      'risc/event-type/identifier-changed',
      { format: 'email', email: 'john.doe@example.com' },
      { 'new-value': 'john.roe@example.com' },
      { outcome: 'event', type: 'renamed', person: { email: 'john.doe@example.com' } },
    ],
    [
      'caep/event-type/token-claims-change',
      { format: 'saml_assertion_id', issuer, assertion_id: '_a75adf55-01d7-dbd8372ebdfc' },
      { event_timestamp: 1_615_304_991, claims: { role: 'ro-admin' } },
      { outcome: 'ignored' },
    ],
  ])('%s of %j', (type, subject, event, expected) => {
    expect(sample(type, subject, event)).toMatchObject(expected);
  });
});
