import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { OktaSource } from '#shared/config/sources/okta.js';
import { createOktaClient } from '#shared/directory/okta/client.js';
import { WaitError } from '#shared/errors.js';
import { hookPayload, type OktaEmulator, startOktaEmulator } from '#test/emulators/okta/index.js';
import { CursorLost, type Page } from '../source.js';
import { normalize } from './normalize.js';
import { systemLog } from './poll.js';

const day = 24 * 3_600_000;

describe('producers/okta/poll', () => {
  let okta: OktaEmulator;
  let later = 0;
  beforeEach(async () => {
    okta = await startOktaEmulator();
    later = 0;
  });
  afterEach(() => okta.close());

  const config = (more: Partial<OktaSource> = {}) => {
    const base = { type: 'okta' as const, orgUrl: okta.url, token: 'okta-emulator-token', hookSecret: ['x'] };
    return { ...base, ...more, poll: 60_000 };
  };
  const stream = (more: Partial<OktaSource> = {}) =>
    systemLog('okta', config(more), { clock: { now: () => new Date(Date.now() + later) } });
  const pagesFrom = async (cursor: string | null, from = stream()): Promise<Page[]> => {
    const pages: Page[] = [];
    for await (const page of from.pages(cursor)) pages.push(page);
    return pages;
  };
  const placeAfter = (pages: Page[]) => pages.at(-1)?.cursor ?? '';
  const ids = (pages: Page[]) => pages.flatMap(({ entries }) => entries.map(({ eventId }) => eventId));
  const leave = (n: number, more = {}) =>
    okta.record({ eventType: 'user.lifecycle.deactivate', userId: `00u${n}`, login: `p${n}@acme.com`, ...more });
  const logRequests = () => okta.requests.filter(({ path }) => path === '/api/v1/logs').length;

  it('begins a quarter of an hour ago, goes on from the stored link, and asks until nothing is left', async () => {
    const first = leave(1);
    const begun = await pagesFrom(null);
    expect(ids(begun)).toEqual([first.uuid]);
    expect(begun.at(-1)?.entries).toEqual([]);
    expect(ids(await pagesFrom(placeAfter(begun)))).toEqual([]);
    const next = leave(2);
    expect(ids(await pagesFrom(placeAfter(begun)))).toEqual([next.uuid]);
  });

  it('walks many pages in the order in which Okta wrote, whatever time the events bear', async () => {
    const place = placeAfter(await pagesFrom(null));
    const written = Array.from({ length: 1_100 }, (_, i) => leave(i));
    const late = leave(9_999, { published: new Date(Date.now() - 3 * 3_600_000).toISOString() });
    const pages = await pagesFrom(place);
    expect(ids(pages)).toEqual([...written, late].map(({ uuid }) => uuid));
    expect(pages.map(({ entries }) => entries.length)).toEqual([500, 500, 101, 0]);
    // Every page carries its own place: whoever dies between two goes on from there.
    expect(ids(await pagesFrom(pages[1]?.cursor ?? ''))).toEqual(ids(pages.slice(2)));
  });

  it('asks by time when Okta knows the link no more: from where everything had been seen, not from now', async () => {
    const place = placeAfter(await pagesFrom(null));
    const missed = leave(1);
    okta.log.expireLinks();
    later = 30 * 60_000;
    expect(ids(await pagesFrom(place))).toEqual([missed.uuid]);
  });

  it('in the middle of a backlog, that is from where it began', async () => {
    const place = placeAfter(await pagesFrom(null));
    const written = Array.from({ length: 600 }, (_, i) => leave(i));
    later = 40 * 60_000;
    const [half] = await pagesFrom(place);
    okta.log.expireLinks();
    expect(ids(await pagesFrom(half?.cursor ?? ''))).toEqual(written.map(({ uuid }) => uuid));
  });

  it('begins again by time when what it wants to know has changed: a link carries its old filter', async () => {
    const place = placeAfter(await pagesFrom(null));
    const assigned = {
      eventType: 'application.user_membership.add',
      userId: '00u1',
      login: 'p@acme.com',
      appId: '0oa1',
    };
    const { uuid } = okta.record(assigned);
    expect(ids(await pagesFrom(place))).toEqual([]);
    expect(ids(await pagesFrom(place, stream({ app: '0oa1' })))).toEqual([uuid]);
  });

  it.each<[string, (place: string) => string]>([
    ['is unreadable', () => 'nonsense'],
    ['belongs to another org', (place) => place.replaceAll(/127\.0\.0\.1:\d+/g, 'elsewhere.example')],
    ['is older than what Okta keeps', (place) => place],
  ])('says that a place is lost which %s, and asks nothing', async (what, change) => {
    const place = placeAfter(await pagesFrom(null));
    if (what.startsWith('is older')) later = 91 * day;
    const before = logRequests();
    await expect(pagesFrom(change(place))).rejects.toBeInstanceOf(CursorLost);
    expect(logRequests()).toBe(before);
  });

  it('keeps its place when neither the link nor the time is taken', async () => {
    const place = placeAfter(await pagesFrom(null));
    okta.fault = { kind: 'status', status: 400, body: { errorCode: 'E0000053', errorSummary: 'no' } };
    await expect(pagesFrom(place)).rejects.toBeInstanceOf(WaitError);
  });

  it('waits as long as Okta says after too many requests', async () => {
    const place = placeAfter(await pagesFrom(null));
    okta.throttled.set('/api/v1/logs', Math.ceil(Date.now() / 1_000) + 40);
    const error = await pagesFrom(place).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(WaitError);
    expect((error as WaitError).delayMs).toBeGreaterThan(35_000);
    expect((error as WaitError).delayMs).toBeLessThanOrEqual(41_000);
  });

  it.each<[string, OktaEmulator['fault']]>([
    ['401', { kind: 'status', status: 401, body: { errorCode: 'E0000011' } }],
    ['403', { kind: 'status', status: 403, body: { errorCode: 'E0000006' } }],
    ['500', { kind: 'status', status: 500 }],
    ['400 from something in between', { kind: 'status', status: 400, body: { message: 'bad gateway' } }],
    ['garbage', { kind: 'garbage' }],
    ['a dropped connection', { kind: 'reset' }],
  ])('takes %s for no answer', async (_, fault) => {
    const place = placeAfter(await pagesFrom(null));
    okta.fault = fault;
    await expect(pagesFrom(place)).rejects.toBeInstanceOf(WaitError);
  });

  it.each([['https://elsewhere.example/api/v1/logs?after=1'], [null]])('follows no link to %s', async (next) => {
    const client = createOktaClient('okta', config());
    okta.log.answer = () => {
      return { status: 200, body: [], headers: next === null ? {} : { link: `<${next}>; rel="next"` } };
    };
    await expect(client.page(`${okta.url}/api/v1/logs`)).rejects.toBeInstanceOf(WaitError);
  });

  it('gives the same entry as the hook does, whatever the event is', async () => {
    const seeds = [
      leave(1),
      okta.record({ eventType: 'group.user_membership.add', userId: '00u2', login: 'p2@acme.com', group: 'Writers' }),
      okta.record({ eventType: 'group.lifecycle.delete', userId: '', login: '', group: 'Writers' }),
    ];
    const [polled] = await pagesFrom(null);
    const pushed = normalize(Buffer.from(JSON.stringify(hookPayload(okta.url, seeds))), null);
    const bare = (entries: typeof pushed) => entries.map(({ raw: _, ...entry }) => entry);
    expect(bare(polled?.entries ?? [])).toEqual(bare(pushed));
  });

  it('quarantines what cannot be read, and takes what stands beside it', async () => {
    let deep: unknown = 'x';
    for (let i = 0; i < 100; i += 1) deep = [deep];
    okta.log.recordRaw('user.lifecycle.deactivate', { uuid: 'deep', eventType: 'user.lifecycle.deactivate', deep });
    okta.log.recordRaw('user.lifecycle.deactivate', 7);
    okta.log.recordRaw('user.lifecycle.deactivate', { uuid: 'nobody', eventType: 'user.lifecycle.deactivate' });
    okta.log.recordRaw('user.lifecycle.deactivate', JSON.parse('{"uuid":"u","eventType":"x","__proto__":{"a":1}}'));
    const { uuid } = leave(1);
    const [page] = await pagesFrom(null);
    const outcomes = page?.entries.map(({ outcome }) => outcome);
    expect(outcomes).toEqual(['quarantined', 'quarantined', 'quarantined', 'quarantined', 'event']);
    expect(page?.entries.at(-1)?.eventId).toBe(uuid);
  });

  it.each([
    ['user.lifecycle.delete.completed', 'terminated'],
    ['user.account.update_primary_email', 'renamed'],
    ['user.account.update_secondary_email', 'renamed'],
    ['system.import.user.delete', 'terminated'],
    ['system.import.user.suspend', 'suspended'],
  ])('%s, which no hook carries, is found as %s', async (eventType, type) => {
    okta.record({ eventType, userId: '00u1', login: 'p@acme.com' });
    const [page] = await pagesFrom(null);
    expect(page?.entries).toMatchObject([{ outcome: 'event', type, senderType: eventType }]);
  });

  it('shows a delivery that failed, and why, and asks for a look at the hook', async () => {
    okta.record({ eventType: 'event_hook.delivery', userId: '', login: '', reason: 'HTTP 503' });
    const [page] = await pagesFrom(null);
    expect(page?.entries).toMatchObject([{ outcome: 'ignored', reason: expect.stringContaining('HTTP 503') }]);
    expect(page?.asksFor).toEqual(['subscriptions']);
    okta.record({ eventType: 'user.lifecycle.suspend', userId: '00u1', login: 'p@acme.com' });
    const [next] = await pagesFrom(page?.cursor ?? null);
    expect(next?.entries).toHaveLength(1);
    expect(next?.asksFor).toEqual([]);
  });
});
