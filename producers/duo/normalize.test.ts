import { describe, expect, it } from 'vitest';
import { normalizeActivity, normalizeAdministrator, usernamesIn } from './normalize.js';

// Excerpts of published entries (samples/duo).
const webauthn = {
  action: { details: null, name: 'webauthncredential_create' },
  activity_id: '720b8360-078b-47c4-adc7-7968df1caef0',
  actor: { details: '{"status":"Active"}', key: 'DU64TKJPJ0SHFWKO2LNBC', name: 'sogilby', type: 'user' },
  old_target: null,
  outcome: { result: 'FAILURE' },
  target: {
    details: '{"authenticator_type":"Security key"}',
    key: 'WAUKH0',
    name: 'WAUKH0',
    type: 'webauthn_credential',
  },
  ts: '2023-03-21T15:51:22.591015+00:00',
};
const renamedOnly = {
  action: 'user_update',
  description: '{"realname": "test 4", "Sync Ref. Code": "41c7e5714a91d17dea11157539d5d1ac"}',
  isotimestamp: '2021-07-20T11:45:11+00:00',
  object: 'narroway',
  timestamp: 1626781511,
  username: 'narroway',
};
const untold = {
  action: 'user_update',
  isotimestamp: '2021-07-20T11:45:11+00:00',
  object: 'narroway',
  timestamp: 1626781511,
  username: 'narroway',
};

const item = (action: unknown, more: { details?: unknown; old?: unknown; target?: object; result?: string } = {}) => ({
  activity_id: 'a1',
  ts: '2026-11-20T10:00:00.000000+00:00',
  action,
  outcome: more.result === undefined ? null : { result: more.result },
  target: { key: 'DU1', name: 'jane', type: 'user', details: more.details ?? null, ...more.target },
  old_target: more.old === undefined ? null : { key: 'DU1', name: 'jane', type: 'user', details: more.old },
});
const one = (value: unknown) => {
  const [entry] = normalizeActivity([value]);
  if (entry === undefined) throw new Error('an entry went missing');
  return entry;
};
const meaning = (value: unknown) => {
  const entry = one(value);
  return entry.outcome === 'event' ? entry.type : entry.outcome;
};
const json = JSON.stringify;

describe('producers/duo/normalize: the activity log', () => {
  it('takes the published entry for what it is', () => {
    expect(one(webauthn)).toMatchObject({
      eventId: '720b8360-078b-47c4-adc7-7968df1caef0',
      occurredAt: new Date('2023-03-21T15:51:22.591Z'),
      senderType: 'webauthncredential_create',
      outcome: 'ignored',
      raw: json(webauthn),
    });
  });

  it.each([
    ['user_create', 'joined'],
    ['user_delete', 'terminated'],
    ['user_pending_delete', 'terminated'],
    ['user_restore', 'reactivated'],
    ['user_adminapi_lockout', 'ignored'],
    ['user_not_enrolled_lockout', 'ignored'],
    ['bypass_create', 'ignored'],
    ['constructor', 'ignored'],
  ])('%s is %s, as a text or an object', (action, expected) => {
    expect(meaning(item(action))).toBe(expected);
    expect(meaning(item({ name: action, details: null }))).toBe(expected);
  });

  it.each(['group_delete', 'group_update', 'user_import', 'user_bulk_activate', 'ad_sync_finish', 'azure_sync_begin'])(
    '%s concerns many at once and removes nobody',
    (action) => {
      expect(one(item(action))).toMatchObject({ outcome: 'ignored', reason: expect.stringContaining('many people') });
    },
  );

  it.each([
    ['Disabled', 'suspended'],
    ['disabled', 'suspended'],
    ['Active', 'reactivated'],
    ['Bypass', 'reactivated'],
    ['Pending Deletion', 'terminated'],
    ['Locked Out', 'ignored'],
  ])('user_update to %s is %s', (status, expected) => {
    expect(meaning(item('user_update', { details: json({ status }), old: json({ status: 'Other' }) }))).toBe(expected);
    expect(meaning(item('user_update', { details: json({ status }) }))).toBe(expected);
    expect(meaning(item('user_update', { details: { status } }))).toBe(expected);
  });

  it.each([
    ['groups', { groups: [{ name: 'A' }] }, { groups: [] }, 'moved'],
    ['email', { email: 'a@b.c' }, { email: 'x@b.c' }, 'renamed'],
    ['an alias', { alias2: 'a' }, {}, 'renamed'],
    ['the name', { realname: 'Jane' }, { realname: 'J' }, 'ignored'],
    ['nothing', { status: 'Disabled', groups: [1] }, { status: 'Disabled', groups: [1] }, 'ignored'],
    ['status and email', { status: 'Disabled', email: 'a@b.c' }, { status: 'Active', email: 'x' }, 'suspended'],
  ])('what counts is what changed: %s', (_, now, before, expected) => {
    expect(meaning(item('user_update', { details: json(now), old: json(before) }))).toBe(expected);
  });

  it.each([null, 'no json', '[]', '"text"', '{"__proto__": {}}'])(
    'details that tell nothing are for the directory: %s',
    (details) => {
      expect(meaning(item('user_update', { details }))).toBe('moved');
    },
  );

  it('what did not succeed did not happen', () => {
    expect(meaning(item('user_delete', { result: 'FAILURE' }))).toBe('ignored');
    expect(meaning(item('user_delete', { result: 'SUCCESS' }))).toBe('terminated');
  });

  it('names the user by id, and by whichever address there is', () => {
    const person = (more: Parameters<typeof item>[1]) => {
      const entry = one(item('user_delete', more));
      return entry.outcome === 'event' ? entry.person : entry.outcome;
    };
    expect(person({})).toEqual({ directoryId: 'DU1', email: null });
    expect(person({ target: { name: 'jane@acme.com' } })).toEqual({ directoryId: 'DU1', email: 'jane@acme.com' });
    expect(person({ details: '{"email":"j@acme.com"}' })).toEqual({ directoryId: 'DU1', email: 'j@acme.com' });
    expect(person({ old: '{"email":"old@acme.com"}' })).toEqual({ directoryId: 'DU1', email: 'old@acme.com' });
    expect(person({ target: { key: null, name: 'jane@acme.com' } })).toMatchObject({ directoryId: null });
    // The key of something else is no user’s.
    expect(person({ target: { key: 'WA1', type: 'webauthn_credential', name: 'a@b' } })).toBe('quarantined');
  });

  it('quarantines poison and goes on', () => {
    const deep = JSON.parse(`${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`);
    const poison = [
      null,
      7,
      'text',
      [],
      {},
      { activity_id: 'x' },
      { action: { name: 3 } },
      { ...item('user_delete'), deep },
      JSON.parse('{"action":"user_delete","__proto__":{}}'),
    ];
    const entries = normalizeActivity([...poison, item('user_delete')]);
    expect(entries.map(({ outcome }) => outcome)).toEqual([...poison.map(() => 'quarantined'), 'event']);
    expect(new Set(entries.map(({ eventId }) => eventId)).size).toBe(entries.length);
  });

  it('an entry without an id or a time is known by its bytes', () => {
    const nameless = { ...item('user_delete'), activity_id: null, ts: 'yesterday' };
    expect(one(nameless)).toMatchObject({ eventId: expect.stringMatching(/^sha256:/), occurredAt: null });
    expect(one(nameless).eventId).toBe(one({ ...nameless }).eventId);
  });
});

describe('producers/duo/normalize: the older log', () => {
  const ids = new Map([['narroway', 'DUJXXXXXXXXXXXXXXXXX']]);

  it('takes the published rows for what they are', () => {
    expect(normalizeAdministrator([renamedOnly, untold], ids)).toMatchObject([
      { outcome: 'ignored', senderType: 'user_update', occurredAt: new Date('2021-07-20T11:45:11Z') },
      { outcome: 'event', type: 'moved', person: { directoryId: 'DUJXXXXXXXXXXXXXXXXX', email: null } },
    ]);
  });

  it('only those users are looked up whose rows mean something and name no address', () => {
    const row = (action: string, object: string, description: unknown = null) => ({
      ...untold,
      action,
      object,
      description,
    });
    const rows = [
      renamedOnly,
      untold,
      untold,
      row('user_delete', 'ben'),
      row('user_delete', 'carol@acme.com'),
      row('user_create', 'dora', '{"email":"dora@acme.com"}'),
      row('phone_create', '+15555551234'),
      null,
      'poison',
    ];
    expect(usernamesIn(rows)).toEqual(['narroway', 'ben']);
  });

  it('who is named by user name alone and known no longer cannot be told, and that is said', () => {
    const [entry] = normalizeAdministrator([{ ...untold, action: 'user_delete', object: 'ben' }], new Map());
    expect(entry).toMatchObject({ outcome: 'ignored', reason: expect.stringContaining('user name') });
  });

  it('a row is the same however its keys are ordered, and another when anything is different', () => {
    const id = (row: object) => normalizeAdministrator([row], ids)[0]?.eventId;
    expect(id(Object.fromEntries(Object.entries(untold).reverse()))).toBe(id(untold));
    for (const change of [
      { action: 'user_delete' },
      { object: 'x' },
      { username: 'x' },
      { timestamp: 1 },
      { description: 'x' },
    ]) {
      expect(id({ ...untold, ...change })).not.toBe(id(untold));
    }
  });

  it('quarantines poison and goes on', () => {
    const deep = JSON.parse(`${'['.repeat(20_000)}${']'.repeat(20_000)}`);
    const poison = [
      null,
      7,
      {},
      { action: 'user_delete' },
      { timestamp: 'x', action: 'user_delete' },
      { ...untold, deep },
    ];
    const entries = normalizeAdministrator([...poison, untold], ids);
    expect(entries.map(({ outcome }) => outcome)).toEqual([...poison.map(() => 'quarantined'), 'event']);
  });
});
