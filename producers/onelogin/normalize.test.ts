import { describe, expect, it } from 'vitest';
import { normalize, toEntry } from './normalize.js';

// Excerpts of the published samples, unchanged.
const deleted = {
  event_type_id: '17',
  actor_user_id: 654321,
  actor_user_name: ' Lion',
  user_id: 123456,
  user_name: 'Bob Cat',
};
const activated = { ...deleted, event_type_id: '16' };
const partialLogin = {
  create: { _id: 'd210df80-ede8-42ba-8199-00ce951bc222' },
  error_description: null,
  event_timestamp: '2017-12-05 19:13:06 UTC',
  actor_user_id: 32916209,
  user_name: 'John Richards',
  uuid: 'd210df80-ede8-42ba-8199-00ce951bc222',
  role_name: null,
  account_id: 92920,
};

const plain = { names: null, app: null };
const pushed = { ...partialLogin, event_type_id: 17, user_id: 123456, role_id: null, app_id: null };
const json = (...events: unknown[]) => Buffer.from(JSON.stringify(events));
const one = (event: unknown, reading: Parameters<typeof normalize>[1] = plain) => normalize(json(event), reading)[0];

describe('producers/onelogin/normalize', () => {
  it('reads the published samples as the table says', () => {
    const person = { directoryId: '123456', email: null };
    expect(normalize(json(deleted, activated), plain)).toMatchObject([
      { outcome: 'event', type: 'terminated', person, senderType: '17', occurredAt: null },
      { outcome: 'event', type: 'reactivated', person, senderType: '16' },
    ]);
    expect(normalize(json({ ...partialLogin, event_type_id: 5, user_id: 32916209 }), plain)).toEqual([]);
    // The published login is cut short: it has no type.
    expect(normalize(json(partialLogin), plain)).toMatchObject([{ outcome: 'quarantined' }]);
  });

  it('numbers as texts, and texts as numbers, are the same entry', () => {
    const asText = { ...pushed, event_type_id: '17', user_id: '123456' };
    expect(one(asText)?.eventId).toBe(one(pushed)?.eventId);
    expect(one(asText)).toMatchObject({ type: 'terminated', person: { directoryId: '123456' } });
  });

  it('reads a time that is not ISO 8601', () => {
    expect(one(pushed)).toMatchObject({ occurredAt: new Date('2017-12-05T19:13:06.000Z') });
  });

  it('a webhook’s event and the API’s of the same fact have the same id, and another fact another', () => {
    const { uuid: _, event_timestamp: __, create: ___, ...rest } = pushed;
    const polled = { ...rest, id: 4711, created_at: '2017-12-05T19:13:06.789Z', notes: 'as the API adds' };
    const id = toEntry(polled, plain)?.eventId;
    expect(id).toBe(one(pushed)?.eventId);
    for (const more of [
      { event_type_id: 530 },
      { user_id: 123457 },
      { role_id: 9 },
      { app_id: 9 },
      { created_at: '2017-12-05T19:13:07.000Z' },
    ]) {
      expect(toEntry({ ...polled, ...more }, plain)?.eventId, JSON.stringify(more)).not.toBe(id);
    }
  });

  it('without a time the webhook’s own id serves', () => {
    expect(one({ ...pushed, event_timestamp: 'yesterday' })?.eventId).toBe('d210df80-ede8-42ba-8199-00ce951bc222');
    expect(one({ ...pushed, event_timestamp: null, uuid: null })?.eventId).toMatch(/^sha256:/);
  });

  it.each([
    ['one object a line', (events: unknown[]) => events.map((event) => JSON.stringify(event)).join('\n')],
    [
      'with CRLF and blank lines',
      (events: unknown[]) => `\n${events.map((e) => JSON.stringify(e)).join('\r\n\r\n')}\n`,
    ],
    ['an array', (events: unknown[]) => JSON.stringify(events)],
    ['an array on several lines', (events: unknown[]) => JSON.stringify(events, null, 2)],
  ])('reads %s', (_, write) => {
    const entries = normalize(Buffer.from(write([pushed, activated])), plain);
    expect(entries.map((entry) => entry.outcome === 'event' && entry.type)).toEqual(['terminated', 'reactivated']);
  });

  it('reads NDJSON of a single line', () => {
    expect(normalize(Buffer.from(`${JSON.stringify(pushed)}\n`), plain)).toMatchObject([{ type: 'terminated' }]);
  });

  it('a display name that looks like an address is never taken for one', () => {
    expect(one({ ...pushed, user_name: 'boss@acme.com' })).toMatchObject({
      person: { directoryId: '123456', email: null },
    });
  });

  it.each([1, 2])('type %i concerns everyone in a role: ignored, with a reason', (event_type_id) => {
    expect(one({ ...pushed, event_type_id, user_id: null, role_id: 5, app_id: 6 })).toMatchObject({
      outcome: 'ignored',
      reason: expect.stringContaining('many people'),
    });
  });

  it('ignores what happens to another app', () => {
    const login = { ...pushed, event_type_id: 207, app_id: 8 };
    expect(one(login, { names: null, app: '9' })).toMatchObject({ outcome: 'ignored' });
    expect(one(login, { names: null, app: '8' })).toMatchObject({ type: 'unassigned' });
    expect(one(login)).toMatchObject({ type: 'unassigned' });
    expect(one({ ...pushed, app_id: 8 }, { names: null, app: '9' })).toMatchObject({ type: 'terminated' });
  });

  it('uses the account’s own names', () => {
    const names = new Map([[17, 'USER_LOGGED_OUT']]);
    expect(normalize(json(pushed), { names, app: null })).toMatchObject([{ type: 'terminated' }]);
    expect(normalize(json(pushed), { names: new Map([[17, 'USER_LOCKED']]), app: null })).toEqual([]);
    expect(
      one({ ...pushed, event_type_id: 900 }, { names: new Map([[900, 'DELETED_USER']]), app: null }),
    ).toMatchObject({
      type: 'terminated',
      senderType: '900 DELETED_USER',
    });
  });

  it.each<[string, unknown]>([
    ['no user', { ...pushed, user_id: null }],
    ['a user that is no id', { ...pushed, user_id: { $gt: 0 } }],
    ['a user of 0', { ...pushed, user_id: 0 }],
    ['a type that is none', { ...pushed, event_type_id: 'seventeen' }],
    ['forbidden keys', JSON.parse('{"event_type_id":17,"user_id":1,"__proto__":{"a":1}}')],
    ['no object', 7],
  ])('quarantines an event with %s, and reads its neighbours', (_, event) => {
    const entries = normalize(json(event, activated), plain);
    expect(entries.map(({ outcome }) => outcome)).toEqual(['quarantined', 'event']);
  });

  it('quarantines an event that is nested without end, and reads its neighbours', () => {
    const deep = `{"event_type_id":17,"user_id":1,"x":${'['.repeat(20_000)}${']'.repeat(20_000)}}`;
    const entries = normalize(Buffer.from(`[${deep},${JSON.stringify(activated)}]`), plain);
    expect(entries.map(({ outcome }) => outcome)).toEqual(['quarantined', 'event']);
    expect(entries[0]?.raw).toContain('"event_type_id":17');
  });

  it('quarantines a line that is no JSON, and reads its neighbours', () => {
    const entries = normalize(Buffer.from(`${JSON.stringify(pushed)}\n{"event_type_id":\n`), plain);
    expect(entries.map(({ outcome }) => outcome)).toEqual(['event', 'quarantined']);
  });

  it.each(['', '7', '"text"', 'null', '<html>', '{"a":'])('quarantines the body %j as one', (body) => {
    expect(normalize(Buffer.from(body), plain)).toMatchObject([{ outcome: 'quarantined' }]);
  });

  it('quarantines a delivery of more than a thousand events as one', () => {
    expect(normalize(json(...Array.from({ length: 1_001 }, () => pushed)), plain)).toMatchObject([
      { outcome: 'quarantined' },
    ]);
  });

  it('the same unreadable bytes are the same entry, others another', () => {
    const id = (text: string) => normalize(Buffer.from(text), plain)[0]?.eventId;
    expect(id('x')).toBe(id('x'));
    expect(id('x')).not.toBe(id('y'));
  });
});
