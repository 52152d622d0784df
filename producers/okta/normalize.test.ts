import { describe, expect, it } from 'vitest';
import { normalize, normalizeEvents } from './normalize.js';

const user = { id: '00u1', type: 'User', alternateId: 'jane@acme.com' };
const delivery = (...events: unknown[]) =>
  Buffer.from(JSON.stringify({ eventType: 'com.okta.event_hook', data: { events } }));
const event = (eventType: string, more: Record<string, unknown> = {}) => ({
  uuid: 'e1',
  published: '2026-11-24T10:00:00.000Z',
  eventType,
  target: [user],
  ...more,
});
const outcomeOf = (body: Buffer, app: string | null = null) => normalize(body, app)[0];

describe('producers/okta/normalize', () => {
  it.each([
    ['user.lifecycle.deactivate', 'terminated'],
    ['user.lifecycle.delete.initiated', 'terminated'],
    ['user.lifecycle.suspend', 'suspended'],
    ['user.lifecycle.unsuspend', 'reactivated'],
    ['user.lifecycle.activate', 'reactivated'],
    ['user.lifecycle.create', 'joined'],
    ['user.account.update_profile', 'moved'],
    ['user.lifecycle.delete.completed', 'terminated'],
    ['user.account.update_primary_email', 'renamed'],
    ['user.account.update_secondary_email', 'renamed'],
    ['user.account.update_user_type', 'moved'],
    ['system.import.user.delete', 'terminated'],
    ['system.import.user.suspend', 'suspended'],
    ['system.import.user.unsuspend', 'reactivated'],
    ['application.user_membership.change_username', 'renamed'],
    ['group.user_membership.add', 'moved'],
    ['application.user_membership.add', 'assigned'],
    ['application.user_membership.remove', 'unassigned'],
  ])('%s is %s', (eventType, type) => {
    expect(outcomeOf(delivery(event(eventType)))).toMatchObject({
      outcome: 'event',
      type,
      eventId: 'e1',
      occurredAt: new Date('2026-11-24T10:00:00.000Z'),
      person: { directoryId: '00u1', email: 'jane@acme.com' },
    });
  });

  it.each([
    'user.session.start',
    'user.account.lock',
    'user.lifecycle.reactivate',
    'event_hook.delivery',
    'user.account.privilege.grant',
    'application.lifecycle.deactivate',
    'application.lifecycle.delete',
    'group.lifecycle.delete',
    'group.application_assignment.remove',
    'constructor',
    'toString',
  ])('%s is ignored, with a reason', (eventType) => {
    expect(outcomeOf(delivery(event(eventType)))).toMatchObject({ outcome: 'ignored', reason: expect.any(String) });
  });

  it('finds the user by type, wherever it stands', () => {
    const target = [{ id: '0ua1', type: 'AppUser', alternateId: 'x' }, { id: '0oa1', type: 'AppInstance' }, user];
    expect(outcomeOf(delivery(event('application.user_membership.remove', { target })), '0oa1')).toMatchObject({
      type: 'unassigned',
      person: { directoryId: '00u1' },
    });
  });

  it('ignores what happens to another app', () => {
    const target = [{ id: '0oaother', type: 'AppInstance' }, user];
    expect(outcomeOf(delivery(event('application.user_membership.remove', { target })), '0oa1')).toMatchObject({
      outcome: 'ignored',
    });
  });

  it.each([['unknown'], ['jane'], [null]])('takes a login of %s for no address', (alternateId) => {
    const target = [{ ...user, alternateId }];
    expect(outcomeOf(delivery(event('user.lifecycle.deactivate', { target })))).toMatchObject({
      person: { directoryId: '00u1', email: null },
    });
  });

  it.each<[string, unknown]>([
    ['no target', null],
    ['no user among the targets', [{ id: '00g1', type: 'UserGroup' }]],
    ['a user without an id', [{ type: 'User', alternateId: 'jane@acme.com' }]],
  ])('quarantines a lifecycle event with %s', (_, target) => {
    expect(outcomeOf(delivery(event('user.lifecycle.deactivate', { target })))).toMatchObject({
      outcome: 'quarantined',
      eventId: 'e1',
    });
  });

  it('one event that cannot be read does not spoil the others', () => {
    const entries = normalize(delivery({ nonsense: true }, event('user.lifecycle.deactivate'), 7), null);
    expect(entries.map((entry) => entry.outcome)).toEqual(['quarantined', 'event', 'quarantined']);
  });

  it('the same unreadable bytes are the same entry, others another', () => {
    const id = (text: string) => normalize(Buffer.from(text), null)[0]?.eventId;
    expect(id('{"a":1}')).toBe(id('{"a":1}'));
    expect(id('{"a":1}')).not.toBe(id('{"a":2}'));
  });

  it('quarantines what is nested without end, and the same again is the same entry', () => {
    const deep = `{"uuid":"e1","eventType":"user.lifecycle.deactivate","x":${'['.repeat(200_000)}${']'.repeat(200_000)}}`;
    const [polled] = normalizeEvents([JSON.parse(deep)], null);
    const [pushed] = normalize(Buffer.from(`{"data":{"events":[${deep}]}}`), null);
    expect(polled).toMatchObject({ outcome: 'quarantined', eventId: expect.stringMatching(/^sha256:/) });
    expect(pushed).toEqual(polled);
  });

  it('ignores an import of somebody who is nobody in Okta yet', () => {
    const target = [{ id: '0ua1', type: 'AppUser', alternateId: 'jane@hr.example' }];
    expect(outcomeOf(delivery(event('system.import.user.update', { target })))).toMatchObject({ outcome: 'ignored' });
  });

  it('quarantines a delivery of more than a thousand events as one', () => {
    const entries = normalize(
      delivery(...Array.from({ length: 1_001 }, () => event('user.lifecycle.deactivate'))),
      null,
    );
    expect(entries).toMatchObject([{ outcome: 'quarantined' }]);
  });
});
