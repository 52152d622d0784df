import { appendFile, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Human, type SourceDriver, tellStory } from '#test/support/source-scenario.js';
import { createWorld, type World } from '#test/support/world.js';

interface Row {
  id: string;
  email: string;
  status: string;
  groups: Set<string>;
}

/** A company without an API: another system writes who is there and what happened. */
async function startFiles(): Promise<SourceDriver> {
  const folder = await mkdtemp(join(tmpdir(), 'sendoff-files-'));
  const [roster, feed] = [join(folder, 'roster.csv'), join(folder, 'leavers.csv')];
  const people = new Map<string, Row>();
  people.set('boss', { id: 'p-0', email: 'boss@acme.com', status: 'active', groups: new Set() });

  const writeRoster = async (): Promise<void> => {
    const rows = [...people.values()].map(({ id, email, status, groups }) =>
      [id, email, status, [...groups].join('|')].join(';'),
    );
    await writeFile(`${roster}.new`, ['Personnel no;E-mail;State;Teams', ...rows, ''].join('\r\n'));
    await rename(`${roster}.new`, roster);
  };
  const tell = async ({ email }: Human, type: string): Promise<void> => {
    await writeRoster();
    await appendFile(feed, `${email},${type},${new Date().toISOString()}\n`);
  };
  const of = ({ name }: Human): Row => {
    const row = people.get(name);
    if (row === undefined) throw new Error(`the roster has no ${name}`);
    return row;
  };
  const hire = async (human: Human, group: string): Promise<void> => {
    people.set(human.name, { id: `p-${human.name}`, email: human.email, status: 'active', groups: new Set([group]) });
    await tell(human, 'joined');
  };
  const set = async (human: Human, status: string, type: string): Promise<void> => {
    of(human).status = status;
    await tell(human, type);
  };
  await writeRoster();
  await writeFile(feed, 'email,type,date\n');

  return {
    source: 'hr',
    yaml: ({ poll }) => `  hr:
    type: file
    poll: ${poll}
    feed: { path: "${feed}" }
    roster:
      path: "${roster}"
      columns: { id: Personnel no, email: E-mail, status: State, groups: Teams }
      suspended: [on leave]
      separator: "|"
`,
    hire,
    rehire: hire,
    async move(human, from, to) {
      of(human).groups.delete(from);
      of(human).groups.add(to);
      await tell(human, 'moved');
    },
    suspend: (human) => set(human, 'On leave', 'suspended'),
    reactivate: (human) => set(human, 'active', 'reactivated'),
    async terminate(human) {
      // Leavers are taken out of the list, as most systems do.
      people.delete(human.name);
      await tell(human, 'terminated');
    },
    types: { hire: ['joined'], suspend: ['suspended'], terminate: ['terminated'] },
    close: () => rm(folder, { recursive: true, force: true }),
  };
}

tellStory('files: a roster and a feed', startFiles, { push: false, poll: true });

describe('sendoff events import', () => {
  let world: World;
  let driver: SourceDriver;
  let folder: string;
  beforeAll(async () => {
    driver = await startFiles();
    folder = await mkdtemp(join(tmpdir(), 'sendoff-import-'));
    world = await createWorld({ sources: { authority: 'hr', yaml: driver.yaml({ poll: 'off' }) } });
  });
  afterAll(async () => {
    await world?.end();
    await driver?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const given = async (name: string, content: string): Promise<string> => {
    const path = join(folder, name);
    await writeFile(path, content);
    return path;
  };
  const run = async (...args: string[]) => world.workplace.run(['events', 'import', ...args]);
  const count = async () =>
    (await world.database.pool.query("select count(*)::int as n from inbox where source = 'hr'")).rows[0].n;

  it('shows what it would import, imports nothing unasked, then once', async () => {
    const before = await count();
    const path = await given(
      'left.csv',
      'email,date\njane@acme.com,2026-01-02\n"e\u001b[31mvil@acme.com",2026-01-02\nx@acme.com,2026-01-02\n',
    );
    const shown = await run(path);
    expect(shown.code).toBe(3);
    expect(shown.stdout).toContain('3 rows: 3 terminated');
    expect(shown.stdout).toContain('jane@acme.com');
    expect(shown.stdout).not.toContain('\u001b[31m');
    expect(await count()).toBe(before);

    const held = await run(path, '--json');
    expect(held.code).toBe(3);
    expect(JSON.parse(held.stdout)).toMatchObject({
      source: 'hr',
      rows: 3,
      types: { terminated: 3 },
      errors: [],
      imported: null,
    });

    const done = await run(path, '--yes', '--json');
    expect(done.code).toBe(0);
    expect(JSON.parse(done.stdout)).toMatchObject({ imported: { stored: 3, duplicates: 0 } });
    expect(JSON.parse((await run(path, '--yes', '--json')).stdout)).toMatchObject({
      imported: { stored: 0, duplicates: 3 },
    });
    expect(await count()).toBe(before + 3);
  });

  it('one bad row: nothing of the file, every mistake by row and column', async () => {
    const before = await count();
    const path = await given('bad.csv', 'email,type,date\na@acme.com,terminated,2026-01-02\nb,terminatd,02.01.2026\n');
    const { code, stdout } = await run(path, '--yes');
    expect(code).toBe(2);
    expect(stdout).toContain('row 3, column email: is no e-mail address');
    expect(stdout).toContain('row 3, column type: is none of');
    expect(stdout).toContain('did you mean terminated?');
    expect(stdout).toContain('row 3, column date: is no date');
    expect(stdout).toContain('Nothing was imported');
    expect(await count()).toBe(before);
    const { errorCount, errors } = JSON.parse((await run(path, '--yes', '--json')).stdout);
    expect({ errorCount, rows: errors.map((one: { row: number }) => one.row) }).toEqual({
      errorCount: 3,
      rows: [3, 3, 3],
    });
  });

  it('a file that can’t be read, and a source that takes none: a sentence and exit code 2', async () => {
    const missing = await run(join(folder, 'none.csv'), '--yes');
    expect(missing).toMatchObject({ code: 2, stderr: expect.stringContaining('does not exist') });
    const unknown = await run(await given('left.csv', 'email\nx@acme.com\n'), '--source', 'other');
    expect(unknown).toMatchObject({ code: 2, stderr: expect.stringContaining('--source names one of hr') });
    const wrong = await run(await given('head.csv', 'e-mail\nx@acme.com\n'), '--yes');
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('did you mean "e-mail"?') });
  });

  it('a hundred thousand rows in bounded memory', async () => {
    const before = await count();
    const notes = 'x'.repeat(500);
    const rows = Array.from({ length: 100_000 }, (_, i) => `person-${i}@acme.com,moved,2026-01-02,${notes}`);
    const path = await given('many.csv', `email,type,date,notes\n${rows.join('\n')}\n`);
    await world.running[0]?.stop();
    const { stdout, stderr, code } = await world.workplace.run(['events', 'import', path, '--yes', '--json'], {
      NODE_OPTIONS: '--max-old-space-size=160',
    });
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(JSON.parse(stdout).imported).toEqual({ stored: 100_000, duplicates: 0 });
    expect(await count()).toBe(before + 100_000);
  }, 300_000);
});
