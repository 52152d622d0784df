import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createOneLoginClient } from '#shared/directory/onelogin/client.js';
import { WaitError } from '#shared/errors.js';
import { credentials, type OneLoginEmulator, startOneLoginEmulator } from '#test/emulators/onelogin/index.js';
import type { Page } from '../source.js';
import { createEventTypes } from './event-types.js';
import { eventsPoll } from './poll.js';

const now = new Date('2026-11-24T12:00:00.000Z');
const at = (minutes: number) => new Date(now.getTime() + minutes * 60_000).toISOString();

describe('producers/onelogin/poll', () => {
  let onelogin: OneLoginEmulator;
  beforeAll(async () => {
    onelogin = await startOneLoginEmulator();
  });
  afterAll(() => onelogin.close());
  beforeEach(() => {
    onelogin.events.length = 0;
    onelogin.requests.length = 0;
    onelogin.fault = null;
  });

  const poll = () => {
    const client = createOneLoginClient('onelogin', { baseUrl: onelogin.url, ...credentials }, 500);
    return eventsPoll({ client, types: createEventTypes(client), app: null, everyMs: 60_000, now: () => now });
  };
  const walk = async (cursor: string | null) => {
    const pages: Page[] = [];
    for await (const page of poll().pages(cursor)) pages.push(page);
    const last = pages.at(-1)?.cursor ?? null;
    return { pages, last, users: pages.flatMap(({ entries }) => entries.map(userOf)) };
  };
  const userOf = (entry: Page['entries'][number]) =>
    entry.outcome === 'event' ? Number(entry.person.directoryId) : entry.outcome;
  const eventQueries = () =>
    onelogin.requests.filter(({ path }) => path === '/api/1/events').map(({ query }) => new URLSearchParams(query));

  it('begins a little before now, and remembers the place even when nothing happened', async () => {
    onelogin.record({ event_type_id: 17, user_id: 1, created_at: at(-60) });
    onelogin.record({ event_type_id: 17, user_id: 2, created_at: at(-10) });
    expect((await walk(null)).users).toEqual([2]);
    onelogin.events.length = 0;
    const { pages, last } = await walk(null);
    expect(pages).toMatchObject([{ entries: [] }]);
    onelogin.record({ event_type_id: 17, user_id: 3, created_at: at(-5) });
    expect((await walk(last)).users).toEqual([3]);
  });

  it('walks all pages, each with the place behind it', async () => {
    for (let i = 1; i <= 120; i += 1) onelogin.record({ event_type_id: 14, user_id: i, created_at: at(-14 + i / 10) });
    const { pages, users } = await walk(null);
    expect(pages.map(({ entries }) => entries.length)).toEqual([50, 50, 20]);
    expect(users).toEqual(Array.from({ length: 120 }, (_, i) => i + 1));
    const [first] = pages;
    expect(JSON.parse(first?.cursor ?? '')).toEqual({ id: onelogin.events[49]?.id, at: now.toISOString() });
    expect(eventQueries()[1]?.get('after_cursor')).toBeTruthy();
  });

  it('goes on from the latest event, and looks behind it for late ones', async () => {
    onelogin.record({ event_type_id: 14, user_id: 1, created_at: at(-30) });
    const cursor = JSON.stringify({ id: 1, at: at(-40) });
    const { last } = await walk(cursor);
    expect(JSON.parse(last ?? '')).toMatchObject({ at: at(-30) });
    onelogin.record({ event_type_id: 14, user_id: 2, created_at: at(-44) });
    expect((await walk(last)).users).toEqual([1, 2]);
  });

  it('asks only for types that mean something, by the account’s own numbers, in order', async () => {
    onelogin.eventTypes.set(900, 'DELETED_USER');
    onelogin.record({ event_type_id: 5, user_id: 1, created_at: at(-1) });
    onelogin.record({ event_type_id: 900, user_id: 2, created_at: at(-1) });
    expect((await walk(null)).users).toEqual([2]);
    onelogin.eventTypes.delete(900);
    const [query] = eventQueries();
    expect(query?.get('event_type_id')?.split(',')).toEqual(expect.arrayContaining(['17', '530', '900']));
    expect(query?.get('event_type_id')?.split(',')).not.toContain('5');
    expect(query?.get('sort')).toBe('+id');
  });

  it('a list that comes in another order moves the place on only at its end', async () => {
    const cursor = JSON.stringify({ id: 1, at: at(-60) });
    const pages = [
      [
        { id: 9, created_at: at(-1), event_type_id: 17, user_id: 9 },
        { id: 8, created_at: at(-2), event_type_id: 17, user_id: 8 },
      ],
      [{ id: 7, created_at: at(-3), event_type_id: 17, user_id: 7 }],
    ];
    const stream = eventsPoll({
      client: {
        async *pages() {
          yield* pages;
        },
      },
      types: { known: () => null, loaded: async () => null },
      app: null,
      everyMs: 60_000,
      now: () => now,
    });
    const cursors: string[] = [];
    for await (const page of stream.pages(cursor)) cursors.push(page.cursor);
    expect(cursors.map((one) => JSON.parse(one).at)).toEqual([at(-60), at(-60), at(-1)]);
  });

  it('an event that is dated ahead of time does not lead past others', async () => {
    onelogin.record({ event_type_id: 14, user_id: 1, created_at: at(60 * 24 * 365) });
    const { last } = await walk(null);
    onelogin.record({ event_type_id: 17, user_id: 2, created_at: at(-1) });
    expect((await walk(last)).users).toContain(2);
  });

  it('starts anew from a cursor that can’t be read', async () => {
    onelogin.record({ event_type_id: 17, user_id: 2, created_at: at(-10) });
    expect((await walk('of another version')).users).toEqual([2]);
  });

  it('throttled, it waits as long as it is told to', async () => {
    onelogin.fault = { kind: 'throttled', seconds: 1_234 };
    const error = await walk(null).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(WaitError);
    expect((error as WaitError).delayMs).toBe(1_234_000);
  });
});
