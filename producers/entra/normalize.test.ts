import { describe, expect, it } from 'vitest';
import { deltaGroup, deltaUser, normalize } from './normalize.js';

const user = {
  '@odata.type': '#Microsoft.Graph.User',
  '@odata.id': 'Users/u1',
  id: 'u1',
  organizationId: 't1',
  eventTime: '2021-07-26T02:40:12.0385565Z',
  sequenceNumber: '637628640120385565',
};
const group = { ...user, '@odata.type': '#Microsoft.Graph.Group', '@odata.id': 'Groups/g1', id: 'g1' };
const item = (resourceData: unknown, more: Record<string, unknown> = {}) => ({
  changeType: 'updated',
  clientState: 'the-secret',
  resource: 'Users/u1',
  resourceData,
  subscriptionId: 's1',
  subscriptionExpirationDateTime: '2021-08-05T04:00:00-07:00',
  tenantId: 't1',
  ...more,
});
const delivery = (...value: unknown[]) => Buffer.from(JSON.stringify({ value }));
const only = (...value: unknown[]) => normalize(delivery(...value))[0];

// Microsoft's published payload, as it stands: the sequence number is a number beyond 2^53.
const published = (sequenceNumber: string) =>
  Buffer.from(`{"value": [{
    "changeType": "updated", "clientState": "A0A354EC-97D4-4D83-9DDB-144077ADB449",
    "resource": "Groups/14b0fed8-8714-4140-b0da-f05759d10b5d",
    "resourceData": {
      "@odata.type": "#Microsoft.Graph.Group", "@odata.id": "Groups/14b0fed8-8714-4140-b0da-f05759d10b5d",
      "id": "14b0fed8-8714-4140-b0da-f05759d10b5d", "organizationId": "0d4ca527-dc44-43d1-84c1-b63d1b1e024d",
      "eventTime": "2021-07-26T02:40:12.0385565Z", "sequenceNumber": ${sequenceNumber},
      "members@delta": [{ "id": "636b5365-803f-4703-8cd8-a39d473fe31a" }]
    },
    "subscriptionExpirationDateTime": "2021-08-05T04:00:00-07:00",
    "subscriptionId": "26a5aadf-b10d-425c-98a4-aa9c2e0b0b45", "tenantId": "0d4ca527-dc44-43d1-84c1-b63d1b1e024d"
  }]}`);

describe('producers/entra/normalize', () => {
  it.each([
    ['updated', 'moved'],
    ['created', 'joined'],
    ['deleted', 'terminated'],
  ])('a user %s is a hint that they may have %s', (changeType, type) => {
    expect(only(item(user, { changeType }))).toMatchObject({
      outcome: 'event',
      type,
      occurredAt: new Date('2021-07-26T02:40:12.038Z'),
      person: { directoryId: 'u1', email: null },
    });
  });

  it('names each member that came or went', () => {
    const [entry] = normalize(published('637628640120385565'));
    expect(entry).toMatchObject({
      outcome: 'event',
      type: 'moved',
      person: { directoryId: '636b5365-803f-4703-8cd8-a39d473fe31a', email: null },
    });
    const two = normalize(delivery(item({ ...group, 'members@delta': [{ id: 'a' }, { id: 'b', '@removed': {} }] })));
    expect(two).toMatchObject([{ person: { directoryId: 'a' } }, { person: { directoryId: 'b' } }]);
    expect(new Set(two.map(({ eventId }) => eventId)).size).toBe(2);
    expect(two[1]?.raw).toContain('"members@delta":[{"id":"b","@removed":{}}]');
  });

  it('tells sequence numbers apart that a double would take for one', () => {
    const id = (sequenceNumber: string) => normalize(published(sequenceNumber))[0]?.eventId;
    expect(Number('637628640120385565')).toBe(Number('637628640120385566'));
    expect(id('637628640120385565')).not.toBe(id('637628640120385566'));
    expect(id('637628640120385565')).toBe(id('637628640120385565'));
    expect(normalize(published('637628640120385565'))[0]?.raw).toContain('637628640120385565');
  });

  it('leaves digits in strings alone, whatever stands around them', () => {
    const eventTime = '\\" 12345678901234567890 "';
    expect(only(item({ ...user, eventTime }))?.raw).toContain(JSON.stringify(eventTime));
  });

  it('goes by Graph’s id where there is one', () => {
    expect(only(item(user, { id: 'lsgTZMr9KwAAA' }))?.eventId).toBe('lsgTZMr9KwAAA');
  });

  it('by the time of the change where there is no number, and else by its words', () => {
    const at = (eventTime: string | undefined) =>
      only(item({ ...user, sequenceNumber: undefined, eventTime }))?.eventId;
    expect(at('2026-01-01T00:00:00Z')).not.toBe(at('2026-01-01T00:00:01Z'));
    expect(at('2026-01-01T00:00:00Z')).toBe(at('2026-01-01T00:00:00Z'));
  });

  it('keeps no secret among the evidence', () => {
    const entries = normalize(
      delivery(item(user), item({ ...group, 'members@delta': [{ id: 'a' }] }), { clientState: 'the-secret' }),
    );
    expect(entries.map(({ outcome }) => outcome)).toEqual(['event', 'event', 'quarantined']);
    expect(JSON.stringify(entries)).not.toContain('the-secret');
  });

  it.each<[string, unknown]>([
    ['a group that is gone', item(group, { changeType: 'deleted' })],
    ['a group of which no member is named', item(group)],
    [
      'a group with more members than are followed',
      item({ ...group, 'members@delta': Array.from({ length: 1_001 }, (_, i) => ({ id: `m${i}` })) }),
    ],
    [
      'a message',
      item(
        { '@odata.type': '#Microsoft.Graph.Message', id: 'm' },
        { changeType: 'created', resource: 'users/u@t/messages/m' },
      ),
    ],
    ['another kind of change', item(user, { changeType: 'constructor' })],
    ['a word about the subscription', { subscriptionId: 's1', lifecycleEvent: 'missed' }],
  ])('%s is ignored, with a reason', (_, one) => {
    expect(normalize(delivery(one))).toMatchObject([{ outcome: 'ignored', reason: expect.any(String) }]);
  });

  it.each<[string, Buffer]>([
    ['no JSON', Buffer.from('{"value":[')],
    ['an event grid envelope', Buffer.from('{"id":"1","type":"Microsoft.Graph.UserUpdated","data":{}}')],
    ['a user without an id', delivery(item({ '@odata.type': '#Microsoft.Graph.User' }))],
    ['an item that is none', delivery(7)],
    ['a forbidden key', Buffer.from('{"value":[{"__proto__":{"a":1},"subscriptionId":"s"}]}')],
    ['more items than are read', delivery(...Array.from({ length: 1_001 }, () => item(user)))],
  ])('quarantines %s', (_, body) => {
    expect(normalize(body)).toMatchObject([{ outcome: 'quarantined', reason: expect.any(String) }]);
  });

  it('leaves out members that are no people: each would be looked up as one', () => {
    const typed = (type: string, id: string) => ({ '@odata.type': `#microsoft.graph.${type}`, id });
    const others = [typed('device', 'd'), typed('servicePrincipal', 's'), typed('group', 'g')];
    const people = [typed('user', 'a'), { id: 'b' }];
    const mixed = normalize(delivery(item({ ...group, 'members@delta': [...others, ...people] })));
    expect(mixed).toMatchObject([{ person: { directoryId: 'a' } }, { person: { directoryId: 'b' } }]);
    expect(mixed[1]?.raw).toContain('"members@delta":[{"id":"b"}]');
    expect(normalize(delivery(item({ ...group, 'members@delta': others })))).toMatchObject([{ outcome: 'ignored' }]);
  });

  it('quarantines what is nested without end, on whichever way it comes', () => {
    const quarantined = { outcome: 'quarantined', reason: expect.stringContaining('nested too deeply') };
    const deep = (text: string) => JSON.parse(text.replace('"deep"', `${'['.repeat(20_000)}${']'.repeat(20_000)}`));
    expect(deltaUser(deep('{"id":"u1","x":"deep"}'), 'l', 'suspended')).toMatchObject(quarantined);
    expect(deltaGroup(deep('{"id":"g1","x":"deep"}'), 'l')).toMatchObject({ entries: [quarantined], nested: [] });
    expect(deltaGroup(deep('{"id":"g1","members@delta":[{"id":"m","x":"deep"}]}'), 'l').entries).toMatchObject([
      quarantined,
    ]);
    const body = `{"value":[{"subscriptionId":"s","clientState":"the-secret","x":${'['.repeat(20_000)}${']'.repeat(20_000)}}]}`;
    expect(normalize(Buffer.from(body))).toMatchObject([quarantined]);
    expect(normalize(Buffer.from(body))[0]?.raw).not.toContain('the-secret');
  });

  it('takes what Event Grid carries for the same item', () => {
    const data = item({ ...user, sequenceNumber: '<sequence-number>' });
    expect(only(data)).toMatchObject({ outcome: 'event', person: { directoryId: 'u1' } });
  });
});

describe('producers/entra/normalize: delta pages', () => {
  // From the published pages of users and groups.
  const cameron = { displayName: 'Cameron White', id: 'ffff7b1a-13b6-477b-8c0c-380905cd99f7' };
  const gone = { id: '86462606-fde0-4fc4-9e0c-a20eb73e54c6', '@removed': { reason: 'deleted' } };
  const entry = (one: unknown, disabled: 'suspended' | 'terminated' = 'suspended') =>
    deltaUser(one, 'link-1', disabled);

  it.each<[string, unknown, string]>([
    ['somebody new or changed', cameron, 'moved'],
    ['who is removed for good', gone, 'terminated'],
    ['who is in the recycle bin', { ...gone, '@removed': { reason: 'changed' } }, 'terminated'],
    ['whose sign-in is blocked', { ...cameron, accountEnabled: false }, 'suspended'],
    ['whose sign-in is allowed', { ...cameron, accountEnabled: true }, 'moved'],
    ['of whom it is not told', { ...cameron, accountEnabled: null }, 'moved'],
  ])('%s', (_, one, type) => {
    expect(entry(one)).toMatchObject({ outcome: 'event', type, person: { directoryId: (one as { id: string }).id } });
  });

  it('a blocked sign-in is what the configuration says', () => {
    expect(entry({ ...cameron, accountEnabled: false }, 'terminated')).toMatchObject({ type: 'terminated' });
  });

  it('gives an address where the page has one', () => {
    expect(entry({ ...cameron, mail: null, userPrincipalName: 'cam@acme.com' })).toMatchObject({
      person: { email: 'cam@acme.com' },
    });
    expect(entry({ ...cameron, mail: 'x', userPrincipalName: 'y' })).toMatchObject({ person: { email: null } });
  });

  it('the same page again is the same event, the same words on a later one another', () => {
    expect(entry(cameron).eventId).toBe(entry(cameron).eventId);
    expect(deltaUser(cameron, 'link-2', 'suspended').eventId).not.toBe(entry(cameron).eventId);
  });

  it.each([[{}], [7], [null], [{ id: '' }]])('quarantines %j', (one) => {
    expect(entry(one)).toMatchObject({ outcome: 'quarantined' });
    expect(deltaGroup(one, 'l').entries).toMatchObject([{ outcome: 'quarantined' }]);
  });

  it('names members that came and went, and keeps nested groups apart', () => {
    const members = [
      { '@odata.type': '#microsoft.graph.user', id: '693acd06-2877-4339-8ade-b704261fe7a0' },
      {
        '@odata.type': '#microsoft.graph.user',
        id: '49320844-be99-4164-8167-87ff5d047ace',
        '@removed': { reason: 'deleted' },
      },
      { '@odata.type': '#microsoft.graph.device', id: 'd1' },
      { '@odata.type': '#microsoft.graph.group', id: 'g2' },
    ];
    const { entries, nested } = deltaGroup({ displayName: 'TestGroup1', id: 'g1', 'members@delta': members }, 'l');
    expect(entries.map(({ outcome }) => outcome)).toEqual(['event', 'event', 'ignored']);
    expect(entries[1]).toMatchObject({
      type: 'moved',
      person: { directoryId: '49320844-be99-4164-8167-87ff5d047ace' },
    });
    expect(nested.map(({ id }) => id)).toEqual(['g2']);
  });

  it.each<[string, unknown]>([
    ['a group that is gone', { id: 'g1', '@removed': { reason: 'changed' } }],
    ['one that was renamed', { id: 'g1', displayName: 'TestGroup2' }],
  ])('%s removes nobody', (_, one) => {
    expect(deltaGroup(one, 'l')).toMatchObject({ entries: [{ outcome: 'ignored' }], nested: [] });
  });
});
