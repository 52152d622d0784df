import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DirectoryUnavailable } from '#shared/directory/directory.js';
import { createDuoClient, type DuoClient } from '#shared/directory/duo/client.js';
import { type DuoEmulator, startDuoEmulator } from '#test/emulators/duo/index.js';
import { CursorLost, type Page } from '../source.js';
import { activityStream } from './poll.js';

const minute = 60_000;
const day = 24 * 60 * minute;

describe('producers/duo/poll', () => {
  let duo: DuoEmulator;
  let now: number;
  beforeEach(async () => {
    duo = await startDuoEmulator();
    // A little late, so that what a test does is settled however long it takes.
    now = Date.now() + minute;
  });
  afterEach(() => duo.close());

  const client = (): DuoClient =>
    createDuoClient('duo', {
      type: 'duo',
      apiHost: duo.host,
      baseUrl: duo.url,
      integrationKey: duo.integrationKey,
      secretKey: duo.secretKey,
      disabled: 'suspended',
      poll: 120_000,
    });
  const poll = async (cursor: string | null, pages: Page[] = []): Promise<Page[]> => {
    for await (const page of activityStream('duo', client(), 120_000, () => now).pages(cursor)) pages.push(page);
    return pages;
  };
  const idsOf = (pages: Page[]) => pages.flatMap(({ entries }) => entries.map(({ eventId }) => eventId));
  const cursorOf = (pages: Page[]) => pages.at(-1)?.cursor ?? null;
  const activityRequests = () => duo.requests.filter(({ path }) => path === '/admin/v2/logs/activity');

  it('asks for what is settled, and goes on from there with some overlap', async () => {
    duo.addUser({ username: 'jane' });
    const first = await poll(null);
    expect(idsOf(first)).toHaveLength(1);
    expect(cursorOf(first)).toBe(String(now - 2 * minute));
    now += 4 * minute;
    duo.clockMs = 4 * minute;
    duo.addUser({ username: 'ben' });
    const second = await poll(cursorOf(first));
    // Jane comes again, by the same id: the inbox knows her.
    expect(idsOf(second)).toEqual([...idsOf(first), duo.log[1]?.id]);
    expect(activityRequests().at(-1)?.query).toMatchObject({
      mintime: String(now - 16 * minute),
      maxtime: String(now - 2 * minute),
    });
  });

  it('asks for nothing when the clock stood still or went back', async () => {
    const cursor = cursorOf(await poll(null));
    duo.requests.length = 0;
    expect(await poll(cursor)).toEqual([]);
    now -= day;
    expect(await poll(cursor)).toEqual([]);
    expect(duo.requests).toEqual([]);
  });

  it('moves the cursor only behind a whole window, page for page, so that a kill in between loses nothing', async () => {
    for (let i = 0; i < 2_500; i += 1) duo.addUser({ username: `u${i}` });
    const pages = await poll(null);
    expect(pages.map(({ entries }) => entries.length)).toEqual([1_000, 1_000, 500]);
    const start = String(now - 62 * minute);
    expect(pages.map(({ cursor }) => cursor)).toEqual([start, start, String(now - 2 * minute)]);
    expect(new Set(idsOf(pages)).size).toBe(2_500);
  });

  it('catches up day by day, and no further back than Duo keeps its log', async () => {
    const pages = await poll(String(now - 3 * day));
    expect(pages.map(({ cursor }) => now - Number(cursor))).toEqual([2 * day, day, 2 * minute]);
    duo.requests.length = 0;
    await poll('0');
    expect(activityRequests()).toHaveLength(180);
    expect(Number(activityRequests()[0]?.query.mintime)).toBeGreaterThanOrEqual(now - 180 * day - 2 * minute);
  });

  it('a page that fails ends the poll after what was whole', async () => {
    for (let i = 0; i < 1_200; i += 1) duo.addUser({ username: `u${i}` });
    let asked = 0;
    duo.fault = () => (++asked === 2 ? { kind: 'status', status: 429, headers: { 'retry-after': '9' } } : null);
    const pages: Page[] = [];
    await expect(poll(null, pages)).rejects.toMatchObject({ delayMs: 9_000 });
    expect(pages.map(({ cursor }) => cursor)).toEqual([String(now - 62 * minute)]);
  });

  it.each([
    ['never ends', { items: [], metadata: { next_offset: '1,a' } }],
    ['has another form', { rows: [] }],
  ])('a log that %s is no answer', async (_, response) => {
    duo.fault = { kind: 'status', status: 200, body: { stat: 'OK', response } };
    await expect(poll(null)).rejects.toBeInstanceOf(DirectoryUnavailable);
  });

  it('a cursor that is none is lost, not guessed', async () => {
    await expect(poll('yesterday')).rejects.toBeInstanceOf(CursorLost);
  });

  describe.each([403, 404] as const)('where the activity log is refused with %s', (status) => {
    beforeEach(() => {
      duo.activityRefused = status;
    });

    it('reads the older log, and looks up who is named by user name alone', async () => {
      const jane = duo.addUser({ username: 'jane' });
      duo.addUser({ username: 'ben@acme.com' });
      const pages = await poll(null);
      expect(pages.flatMap(({ entries }) => entries)).toMatchObject([
        { outcome: 'event', type: 'joined', person: { directoryId: jane.user_id } },
        { outcome: 'event', type: 'joined', person: { email: 'ben@acme.com' } },
      ]);
      expect(cursorOf(pages)).toBe(String(now - 2 * minute));
      const again = await poll(String(now - 3 * minute));
      expect(idsOf(again)).toEqual(idsOf(pages));
    });

    it('goes on behind the thousand rows that it gives at once', async () => {
      for (let i = 0; i < 2_100; i += 1) duo.addUser({ username: `u${i}@acme.com` });
      duo.log.forEach((one, i) => {
        one.at = now - 10 * minute + i * 100;
      });
      const pages = await poll(null);
      expect(new Set(idsOf(pages)).size).toBe(2_100);
      expect(Math.max(...pages.map(({ entries }) => entries.length))).toBeLessThanOrEqual(50);
      const cursors = pages.map(({ cursor }) => Number(cursor));
      expect(cursors).toEqual([...cursors].sort((a, b) => a - b));
    });

    it('names the missing right when that one is refused too', async () => {
      duo.rights.log = false;
      await expect(poll(null)).rejects.toThrow('Grant read log');
    });
  });
});
