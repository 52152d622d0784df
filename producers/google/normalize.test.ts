import { describe, expect, it } from 'vitest';
import { normalize, normalizeActivity, normalizeDeleted } from './normalize.js';

const headers = (state: string, number = '236440') => [
  ...['Content-Type', 'application/json; utf-8'],
  ...['X-Goog-Channel-ID', 'deleteChannel', 'X-Goog-Channel-Token', 'a-secret-token'],
  ...['X-Goog-Resource-State', state, 'X-Goog-Message-Number', number],
];
/** As published (Directory API, "Push notifications"). */
const user = {
  kind: 'admin#directory#user',
  id: '111220860655841818702',
  etag: '"Mf8RAmnABsVfQ47MMT_18MHAdRE/evLIDlz2Fd9zbAqwvIp7Pzq8UAw"',
  primaryEmail: 'user@mydomain.com',
};
const message = (state: string, body: unknown = user, number?: string) =>
  normalize({ rawHeaders: headers(state, number), body: Buffer.from(JSON.stringify(body)) });

const activity = (name: string, parameters: Record<string, string>, more: object = {}) => ({
  kind: 'admin#reports#activity',
  id: { time: '2020-10-02T15:00:00Z', uniqueQualifier: 1, applicationName: 'admin', customerId: '1' },
  actor: { callerType: 'USER', email: 'foo@bar.com', profileId: 1 },
  events: [
    {
      type: 'USER_SETTINGS',
      name,
      parameters: Object.entries(parameters).map(([key, value]) => ({ name: key, value })),
    },
  ],
  ...more,
});
const nested = (depth: number): unknown => JSON.parse(`${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`);

describe('producers/google/normalize: messages', () => {
  it.each([
    ['add', 'joined'],
    ['delete', 'terminated'],
    ['undelete', 'reactivated'],
    ['update', 'moved'],
  ])('%s is %s', (state, type) => {
    expect(message(state)).toMatchObject([
      {
        outcome: 'event',
        type,
        eventId: 'deleteChannel:236440',
        person: { directoryId: '111220860655841818702', email: 'user@mydomain.com' },
      },
    ]);
  });

  it('sync leaves nothing: it says only that the channel is open', () => {
    expect(normalize({ rawHeaders: headers('sync', '1'), body: Buffer.alloc(0) })).toEqual([]);
  });

  it.each(['makeAdmin', 'constructor', 'somethingNew'])('%s is ignored, with a reason', (state) => {
    expect(message(state)).toMatchObject([{ outcome: 'ignored', reason: expect.any(String) }]);
  });

  it.each<[string, unknown, string | undefined]>([
    ['no id', { primaryEmail: 'user@mydomain.com' }, undefined],
    ['a list', [user], undefined],
    ['null', null, undefined],
    ['no number', user, ''],
    ['a number that is none', user, '12; drop'],
  ])('quarantines a message with %s', (_, body, number) => {
    expect(message('delete', body, number)).toMatchObject([{ outcome: 'quarantined' }]);
  });

  it('quarantines what is no JSON, the same bytes as the same entry', () => {
    const broken = () => normalize({ rawHeaders: headers('delete'), body: Buffer.from('{"id":') });
    expect(broken()).toMatchObject([{ outcome: 'quarantined', eventId: 'deleteChannel:236440' }]);
    expect(broken()).toEqual(broken());
  });

  it('keeps what was sent as evidence, without the token', () => {
    const [entry] = message('delete');
    expect(entry?.raw).toContain('111220860655841818702');
    expect(entry?.raw).not.toContain('a-secret-token');
  });
});

describe('producers/google/normalize: activities', () => {
  it.each([
    ['CREATE_USER', 'joined'],
    ['DELETE_USER', 'terminated'],
    ['UNDELETE_USER', 'reactivated'],
    ['SUSPEND_USER', 'suspended'],
    ['UNSUSPEND_USER', 'reactivated'],
    ['ARCHIVE_USER', 'suspended'],
    ['UNARCHIVE_USER', 'reactivated'],
    ['MOVE_USER_TO_ORG_UNIT', 'moved'],
    ['CHANGE_USER_ORGANIZATION', 'moved'],
    ['CHANGE_USER_RELATION', 'moved'],
    ['ADD_GROUP_MEMBER', 'moved'],
    ['REMOVE_GROUP_MEMBER', 'moved'],
  ])('%s is %s', (name, type) => {
    const parameters = { NEW_VALUE: 'new', USER_EMAIL: 'user@example.com' };
    expect(normalizeActivity(activity(name, parameters))).toMatchObject([
      {
        outcome: 'event',
        type,
        eventId: '2020-10-02T15:00:00Z:1:admin',
        occurredAt: new Date('2020-10-02T15:00:00.000Z'),
        person: { directoryId: null, email: 'user@example.com' },
      },
    ]);
  });

  it('RENAME_USER is about who has the new address: the old one may be somebody else’s by now', () => {
    const parameters = { USER_EMAIL: 'old@example.com', NEW_VALUE: 'new@example.com' };
    expect(normalizeActivity(activity('RENAME_USER', parameters))).toMatchObject([
      { type: 'renamed', person: { directoryId: null, email: 'new@example.com' } },
    ]);
  });

  it.each(['CREATE_APPLICATION_SETTING', 'CHANGE_PASSWORD', 'DELETE_GROUP', '__proto__'])('%s is ignored', (name) => {
    expect(normalizeActivity(activity(name, { USER_EMAIL: 'user@example.com' }))).toMatchObject([
      { outcome: 'ignored', reason: expect.any(String) },
    ]);
  });

  it('an activity of several events is an entry for each, always with the same ids', () => {
    const { events } = activity('SUSPEND_USER', { USER_EMAIL: 'user@example.com' });
    const several = () => normalizeActivity(activity('x', {}, { events: [...events, ...events] }));
    expect(several().map(({ eventId }) => eventId)).toEqual([
      '2020-10-02T15:00:00Z:1:admin',
      '2020-10-02T15:00:00Z:1:admin:1',
    ]);
    expect(several()).toEqual(several());
  });

  it.each<[string, unknown]>([
    ['no id', { events: [] }],
    ['a list', []],
    ['nothing', null],
    ['no user', activity('SUSPEND_USER', { ORG_UNIT_NAME: 'org' })],
    ['a user without an address', activity('SUSPEND_USER', { USER_EMAIL: 'user' })],
    ['a depth that no activity has', activity('SUSPEND_USER', {}, { deep: nested(10_000) })],
    ['forbidden keys', JSON.parse('{"id":{"__proto__":{"time":"x"}}}')],
  ])('quarantines an activity with %s', (_, given) => {
    expect(normalizeActivity(given)).toMatchObject([{ outcome: 'quarantined' }]);
  });
});

describe('producers/google/normalize: the deleted', () => {
  it('names id and address; the same deletion is the same entry', () => {
    const deleted = { id: '1', primaryEmail: 'user@example.com', deletionTime: '2026-11-24T10:00:00.000Z' };
    expect(normalizeDeleted(deleted)).toMatchObject({
      outcome: 'event',
      type: 'terminated',
      eventId: 'deleted:1:2026-11-24T10:00:00.000Z',
      person: { directoryId: '1', email: 'user@example.com' },
    });
    expect(normalizeDeleted({ id: '1' })).toMatchObject({ outcome: 'quarantined' });
  });
});
