import { describe, expect, it } from 'vitest';
import type { WebhookMapping } from '#shared/config/sources/webhook.js';
import { normalize, ownMapping } from './normalize.js';

const headers = { 'webhook-id': 'msg_1' };
const entriesOf = (body: unknown, mapping: WebhookMapping = ownMapping, hasIds = true) =>
  normalize(
    { headers, body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)) },
    { mapping, hasIds },
  );
const entryOf = (...args: Parameters<typeof entriesOf>) => entriesOf(...args)[0];
const own = (more: object = {}) => ({
  type: 'user.terminated',
  timestamp: '2026-11-24T10:00:00.000Z',
  data: { email: 'jane@acme.com', id: '00u1' },
  ...more,
});

const hris: WebhookMapping = {
  type: 'event.name',
  email: 'employee.contacts[0].work email',
  id: 'employee.number',
  occurredAt: 'event.at',
  types: { 'employee.left': 'terminated', false: 'suspended' },
};
const left = (employee: unknown, name: unknown = 'employee.left') => ({ event: { name, at: 1_764_000_000 }, employee });
const jane = { number: 4711, contacts: [{ 'work email': 'jane@acme.com' }] };

describe('producers/webhook/normalize', () => {
  it.each(['joined', 'moved', 'renamed', 'suspended', 'reactivated', 'terminated', 'assigned', 'unassigned'])(
    'our own form: user.%s',
    (type) => {
      expect(entryOf(own({ type: `user.${type}` }))).toEqual({
        eventId: 'msg_1',
        outcome: 'event',
        type,
        senderType: `user.${type}`,
        occurredAt: new Date('2026-11-24T10:00:00.000Z'),
        person: { directoryId: '00u1', email: 'jane@acme.com' },
        raw: JSON.stringify(own({ type: `user.${type}` })),
      });
    },
  );

  it('any other form by a mapping', () => {
    expect(entryOf(left(jane), hris)).toMatchObject({
      outcome: 'event',
      type: 'terminated',
      senderType: 'employee.left',
      occurredAt: new Date(1_764_000_000_000),
      person: { directoryId: '4711', email: 'jane@acme.com' },
    });
    expect(entryOf(left(jane, false), hris)).toMatchObject({ type: 'suspended' });
  });

  it('several people of one body, each an entry by its place; what is around them is true of each', () => {
    const mapping: WebhookMapping = {
      type: 'what',
      items: 'people',
      email: 'mail',
      types: { left: 'terminated', came: 'joined' },
    };
    const body = {
      what: 'left',
      mail: 'not-theirs@acme.com',
      people: [{ mail: 'a@acme.com' }, { what: 'came', mail: 'b@acme.com' }, {}, 7],
    };
    expect(entriesOf(body, mapping)).toMatchObject([
      { eventId: 'msg_1:0', type: 'terminated', person: { email: 'a@acme.com' } },
      { eventId: 'msg_1:1', type: 'joined', person: { email: 'b@acme.com' } },
      { eventId: 'msg_1:2', outcome: 'quarantined' },
      { eventId: 'msg_1:3', outcome: 'quarantined' },
    ]);
    expect(entriesOf([{ what: 'left', mail: 'a@acme.com' }], { ...mapping, items: '$' })).toMatchObject([
      { eventId: 'msg_1:0', type: 'terminated' },
    ]);
  });

  it.each(['user.created', 'constructor', 'toString', '__proto__'])('%s is ignored with a reason', (type) => {
    expect(entryOf(own({ type }))).toMatchObject({ outcome: 'ignored', senderType: type, reason: expect.any(String) });
  });

  it.each<[string, unknown, WebhookMapping, string]>([
    ['no JSON', '{"type":', hris, 'JSON'],
    ['a text', '"x"', hris, 'JSON'],
    ['no type', { employee: jane }, hris, 'no type at event.name (mapping.type): found nothing'],
    ['a type that is a list', left(jane, ['x']), hris, 'no type at event.name (mapping.type): found a list'],
    [
      'nobody',
      left({ number: null, contacts: [{ 'work email': 'jane' }] }),
      hris,
      'no e-mail address at employee.contacts[0].work email (mapping.email): found another text; no id at employee.number (mapping.id): found null',
    ],
    [
      'a number too large to be exact',
      '{"event":{"name":"employee.left"},"employee":{"number":12345678901234567890}}',
      hris,
      'no id',
    ],
    ['no list of items', own(), { ...hris, items: 'people' }, 'no list at people (mapping.items): found nothing'],
    ['a forbidden key', '{"type":"user.terminated","__proto__":{}}', ownMapping, 'forbidden'],
    ['too deep a body', `{"a":${'['.repeat(40)}${']'.repeat(40)}}`, ownMapping, 'deeply'],
    [
      'too many items',
      { people: Array.from({ length: 1_001 }, () => jane) },
      { ...hris, items: 'people' },
      'more than 1000',
    ],
  ])('quarantines %s, and says what was looked for and where', (_, body, mapping, reason) => {
    const [entry, ...others] = entriesOf(body, mapping);
    expect(entry).toMatchObject({ outcome: 'quarantined', reason: expect.stringContaining(reason) });
    expect(others).toEqual([]);
  });

  it('an id counts only where a directory knows it', () => {
    expect(entryOf(own(), ownMapping, false)).toMatchObject({ person: { directoryId: null, email: 'jane@acme.com' } });
    expect(entryOf(own({ data: { id: '00u1' } }), ownMapping, false)).toMatchObject({ outcome: 'quarantined' });
    expect(entryOf(own({ data: { id: '00u1', email: 'jane' } }))).toMatchObject({
      outcome: 'event',
      person: { directoryId: '00u1', email: null },
    });
  });

  it.each([
    ['2026-11-24T10:00:00Z', '2026-11-24T10:00:00.000Z'],
    [1_764_000_000, '2025-11-24T16:00:00.000Z'],
    [1_764_000_000_000, '2025-11-24T16:00:00.000Z'],
    ['yesterday', null],
    [null, null],
  ])('a time of %j is %s: one that can’t be read spoils nothing', (timestamp, time) => {
    expect(entryOf(own({ timestamp }))).toMatchObject({
      outcome: 'event',
      occurredAt: time === null ? null : new Date(time),
    });
  });
});
