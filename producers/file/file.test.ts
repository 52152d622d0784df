import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { file as kind } from '#shared/config/sources/file.js';
import type { NormalizedEntry } from '#shared/lifecycle/types.js';
import type { ImportedRow } from '../source.js';
import { fileSource } from './index.js';

const feedText = `email,id,type,date
jane@acme.com,7,terminated,2026-11-20
"joe@acme.com",,Joined,2026-11-21T09:00:00+01:00
`;

describe('producers/file', () => {
  let folder: string;
  let path: string;
  beforeEach(async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: new Date('2026-11-24T10:00:00Z') });
    folder = await mkdtemp(join(tmpdir(), 'sendoff-feed-'));
    path = join(folder, 'feed.csv');
    await writeFile(path, feedText);
  });
  afterEach(async () => {
    vi.useRealTimers();
    await rm(folder, { recursive: true });
  });

  const source = (feed: object = {}, more: object = { ids: 'okta' }) =>
    fileSource('hr', kind.schema.parse({ type: 'file', feed: { path, ...feed }, ...more }));
  /** What one poll brings, and where it is then. */
  const poll = async (
    cursor: string | null,
    feed = {},
  ): Promise<{ entries: NormalizedEntry[]; cursor: string | null }> => {
    const entries: NormalizedEntry[] = [];
    let at = cursor;
    for await (const page of source(feed).polls[0]?.pages(cursor) ?? []) {
      entries.push(...page.entries);
      at = page.cursor;
    }
    return { entries, cursor: at };
  };
  const imported = async (content: string, feed = {}, more: object = { ids: 'okta' }, name = 'given.csv') => {
    const given = join(folder, name);
    await writeFile(given, content);
    const rows: ImportedRow[] = [];
    for await (const row of source(feed, more).imports?.rows(given) ?? []) rows.push(row);
    return rows;
  };
  const faultsOf = (rows: ImportedRow[]) =>
    rows.flatMap(({ number, faults }) => faults.map(({ column, text }) => `${number} ${column}: ${text}`));

  it('every row is an event', async () => {
    const { entries } = await poll(null);
    expect(entries).toMatchObject([
      {
        outcome: 'event',
        type: 'terminated',
        occurredAt: new Date('2026-11-20T00:00:00Z'),
        person: { directoryId: '7', email: 'jane@acme.com' },
      },
      {
        type: 'joined',
        occurredAt: new Date('2026-11-21T08:00:00Z'),
        person: { directoryId: null, email: 'joe@acme.com' },
      },
    ]);
  });

  it('is read again only when its content changed, and old rows keep their ids', async () => {
    const first = await poll(null);
    await writeFile(path, feedText);
    expect((await poll(first.cursor)).entries).toEqual([]);
    await appendFile(path, 'JANE@acme.com,7,terminated,2026-11-20T00:00Z\nnew@acme.com,,suspended,\n');
    const second = await poll(first.cursor);
    const ids = (entries: NormalizedEntry[]) => entries.map(({ eventId }) => eventId);
    expect(ids(second.entries).slice(0, 2)).toEqual(ids(first.entries));
    expect(ids(second.entries)[2]).toBe(ids(first.entries)[0]);
    expect(new Set(ids(second.entries)).size).toBe(3);
    expect((await poll(second.cursor, { types: { terminated: 'suspended' } })).entries).toHaveLength(4);
  });

  it('half a file is never behind it: the cursor moves at its end', async () => {
    const first = await poll(null);
    const row = (i: number) => `p${i}@acme.com,,terminated,`;
    await writeFile(path, `email,id,type,date\n${Array.from({ length: 1_100 }, (_, i) => row(i)).join('\n')}\n"cut`);
    const cursors: string[] = [];
    const reading = async () => {
      for await (const { cursor } of source().polls[0]?.pages(first.cursor) ?? []) cursors.push(cursor);
    };
    await expect(reading()).rejects.toThrow('row 1102 is never closed');
    expect(cursors).toEqual([first.cursor, first.cursor]);
  });

  it('a day that has not come is waited for', async () => {
    await appendFile(path, 'later@acme.com,,terminated,2026-11-30\n');
    const first = await poll(null);
    expect(first.entries).toHaveLength(2);
    expect((await poll(first.cursor)).entries).toEqual([]);
    vi.setSystemTime(new Date('2026-11-30T00:00:00Z'));
    const second = await poll(first.cursor);
    expect(second.entries).toHaveLength(3);
    expect((await poll(second.cursor)).entries).toEqual([]);
  });

  it('a row that can’t be read is quarantined, and holds up no other', async () => {
    await appendFile(path, 'not an address,,terminated,\nlast@acme.com,,terminated,\n');
    const { entries } = await poll(null);
    expect(entries.map(({ outcome }) => outcome)).toEqual(['event', 'event', 'quarantined', 'event']);
    expect(entries[2]).toMatchObject({ reason: expect.stringContaining('row 4, column email: is no e-mail address') });
    expect(new Set(entries.map(({ eventId }) => eventId)).size).toBe(4);
  });

  it('no file is a failure, and says so', async () => {
    await rm(path);
    await expect(poll(null)).rejects.toThrow('does not exist');
  });

  it('"off": it is read only when it is handed over', () => {
    expect(source({}, { poll: 'off', ids: 'okta' })).toMatchObject({ polls: [], imports: {} });
  });

  it('names every mistake by row and column, in the file’s own headings', async () => {
    const content = [
      'E-Mail;Nr;What;Last day',
      'jane@acme.com;7;terminated;2026-02-30',
      ';;terminated;',
      '',
      '"a;b@acme.com";;termnated;30.11.2026',
      'x@acme.com;;;2036-11-30',
      'short@acme.com;',
      'fine@acme.com;;terminated;2026-11-30T10:00:00Z',
    ].join('\r\n');
    const rows = await imported(content, { columns: { email: 'e-mail', id: 'Nr', type: 'What', date: 'Last day' } });
    expect(faultsOf(rows)).toEqual([
      '2 Last day: is no date (write 2026-11-30, or 2026-11-30T17:00:00Z)',
      '3 E-Mail: is empty (write whom the row is about)',
      expect.stringMatching(/^5 What: is none of .*\(did you mean terminated\?\)$/),
      '5 Last day: is no date (write 2026-11-30, or 2026-11-30T17:00:00Z)',
      expect.stringMatching(/^6 What: is empty/),
      '6 Last day: lies more than a year ahead (correct the year)',
      '7 null: has 2 cells, and there are 4 headings',
    ]);
    expect(rows.at(-1)).toMatchObject({ entry: null, faults: [] });
  });

  it('a list of leavers without types is what it is', async () => {
    expect(await imported('email\njane@acme.com\n')).toMatchObject([
      { number: 2, entry: { type: 'terminated', occurredAt: null } },
    ]);
  });

  it.each([
    ['email,typ\n', 'did you mean "typ"?'],
    ['email,dat\n', 'did you mean "dat"?'],
    ['mail\n', 'did you mean "mail"?'],
    ['', 'is empty'],
  ])('headings that are missing or misspelt: %j', async (content, remedy) => {
    const error = await imported(content, {}, {}).then(
      () => null,
      (thrown: { message: string; remedy: string }) => thrown,
    );
    expect(`${error?.message} ${error?.remedy}`).toContain(remedy);
  });

  it('an id is somebody only where a directory knows it', async () => {
    expect(await imported('email,id\n,7\n')).toMatchObject([{ entry: { person: { directoryId: '7', email: null } } }]);
    expect(faultsOf(await imported('email,id\n,7\n', {}, {}))).toEqual([
      '2 email: is empty, and no directory knows the id (write the address)',
    ]);
    expect(await imported('email,id\nj@acme.com,7\n', {}, {})).toMatchObject([
      { entry: { person: { directoryId: null, email: 'j@acme.com' } } },
    ]);
  });

  it('takes their words, and ignores what is not among them', async () => {
    const rows = await imported('email,type\na@acme.com,Austritt\nb@acme.com,Umzug\nc@acme.com,toString\n', {
      types: { austritt: 'terminated' },
    });
    expect(rows).toMatchObject([
      { entry: { outcome: 'event', type: 'terminated', senderType: 'Austritt' } },
      { entry: { outcome: 'ignored', senderType: 'Umzug' } },
      { entry: { outcome: 'ignored' } },
    ]);
  });

  it('reads JSON by the name of the file: the same facts are the same entry', async () => {
    const csv = await imported('email,type,date\njane@acme.com,terminated,2026-11-20\n');
    const json = await imported(
      '[{"email":"Jane@acme.com","type":"Terminated","date":"2026-11-20"}]',
      {},
      undefined,
      'x.json',
    );
    expect(json[0]?.entry?.eventId).toBe(csv[0]?.entry?.eventId);
    expect(json[0]?.number).toBe(1);
  });
});
