import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createGoogleClient } from '#shared/directory/google/client.js';
import { WaitError } from '#shared/errors.js';
import { googleConfig, subject } from '#test/emulators/google/config.js';
import { type GoogleEmulator, googleError, startGoogleEmulator } from '#test/emulators/google/index.js';
import { CursorLost, type PollStream } from '../source.js';
import { activityStream, deletedStream } from './poll.js';

const hourMs = 60 * 60_000;

describe('producers/google/poll', () => {
  let google: GoogleEmulator;
  beforeAll(async () => {
    google = await startGoogleEmulator();
  });
  afterAll(() => google.close());
  beforeEach(() => {
    google.users.clear();
    google.addUser({ primaryEmail: subject });
    google.activities.length = 0;
    google.requests.length = 0;
    google.pageLimit = 500;
    google.aheadMs = 0;
    google.auditLagMs = 0;
    google.fault = null;
  });

  const client = () => createGoogleClient('google', googleConfig(google));
  const activities = () => activityStream(client(), 60_000, google.now);
  const deleted = () => deletedStream(client(), 60_000, google.now);
  const suspend = (name: string) => google.record('SUSPEND_USER', { USER_EMAIL: `${name}@acme.com` });

  /** @param stopAfter pages, as a process that is killed before it commits the next one */
  async function read(stream: PollStream, cursor: string | null, stopAfter = Number.POSITIVE_INFINITY) {
    const seen = new Set<string>();
    let at = cursor;
    let pages = 0;
    for await (const page of stream.pages(cursor)) {
      for (const entry of page.entries)
        seen.add(entry.outcome === 'event' ? (entry.person.email ?? '') : entry.outcome);
      at = page.cursor;
      pages += 1;
      if (pages >= stopAfter) break;
    }
    return { seen: [...seen].sort(), cursor: at, pages };
  }

  it('begins with the last hour and ends where nothing was missed', async () => {
    suspend('jane');
    const first = await read(activities(), null);
    expect(first).toMatchObject({ seen: ['jane@acme.com'], pages: 1 });
    google.aheadMs = 2 * hourMs;
    expect(await read(activities(), first.cursor)).toMatchObject({ seen: ['jane@acme.com'] });
    expect((await read(activities(), (await read(activities(), first.cursor)).cursor)).seen).toEqual([]);
  });

  it('finds what the audit log shows late', async () => {
    google.auditLagMs = hourMs / 2;
    suspend('jane');
    const first = await read(activities(), null);
    expect(first.seen).toEqual([]);
    google.aheadMs = hourMs * 0.9;
    expect((await read(activities(), first.cursor)).seen).toEqual(['jane@acme.com']);
  });

  it('a process that dies between pages loses none: newest come first, and the place moves with the last page', async () => {
    for (let i = 0; i < 5; i += 1) suspend(`p${i}`);
    google.pageLimit = 2;
    const broken = await read(activities(), null, 1);
    suspend('late');
    const rest = await read(activities(), broken.cursor);
    expect(new Set([...broken.seen, ...rest.seen]).size).toBe(5);
    expect((await read(activities(), rest.cursor)).seen).toContain('late@acme.com');
  });

  it('begins the walk again when Google forgot the page, without asking anybody', async () => {
    for (let i = 0; i < 5; i += 1) suspend(`p${i}`);
    google.pageLimit = 2;
    const since = google.now().toISOString();
    google.aheadMs = 5 * hourMs;
    const broken = await read(activities(), JSON.stringify({ since, walk: null }), 1);
    const forgotten = JSON.parse(broken.cursor ?? '');
    forgotten.walk.pageToken = 'forgotten';
    expect((await read(activities(), JSON.stringify(forgotten))).seen).toHaveLength(5);
  });

  it('asks for no more than Google keeps', async () => {
    const since = new Date(Date.now() - 400 * 24 * hourMs).toISOString();
    suspend('jane');
    expect((await read(activities(), JSON.stringify({ since, walk: null }))).seen).toEqual(['jane@acme.com']);
  });

  it.each(['', 'x', '{}', '{"since":"never","walk":null}'])(
    'a place that can’t be read is lost: %j',
    async (cursor) => {
      await expect(read(activities(), cursor)).rejects.toBeInstanceOf(CursorLost);
    },
  );

  it.each([
    googleError(403, 'quotaExceeded', 'Quota exceeded', { 'retry-after': '90' }),
    googleError(429, 'rateLimitExceeded', 'Too Many Requests', { 'retry-after': '90' }),
  ])('leaves Google alone for as long as it says: $status', async (answer) => {
    google.fault = () => ({ kind: 'answer', answer });
    const failure = await read(activities(), null).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(WaitError);
    expect(failure).toMatchObject({ delayMs: 90_000 });
  });

  it('finds who was deleted without a word, over many pages, and nobody from before its time', async () => {
    google.addUser({
      primaryEmail: 'long.ago@acme.com',
      deletionTime: new Date(Date.now() - 48 * hourMs).toISOString(),
    });
    for (let i = 0; i < 5; i += 1) google.deleteUser(google.addUser({ primaryEmail: `p${i}@acme.com` }).id);
    google.pageLimit = 2;
    const broken = await read(deleted(), null, 2);
    const rest = await read(deleted(), broken.cursor);
    expect([...new Set([...broken.seen, ...rest.seen])].sort()).toEqual(
      ['p0', 'p1', 'p2', 'p3', 'p4'].map((name) => `${name}@acme.com`),
    );
  });

  it('a list without anybody says nothing about anybody', async () => {
    expect((await read(deleted(), null)).seen).toEqual([]);
  });

  it('looks at the deleted less often than at the log', () => {
    expect(deleted().everyMs).toBe(6 * activities().everyMs);
  });
});
