import { appendFile, mkdtemp, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { file as kind } from '#shared/config/sources/file.js';
import { type Directory, DirectoryUnavailable } from '../directory.js';
import { createFileDirectory } from './index.js';
import { openTable } from './table.js';
import { TableChanged } from './table-parts.js';

const head = 'id,email,status,groups,manager,name';
const jane = '7,Jane@acme.com jd@acme.com,active,Writers;Readers,boss@acme.com,"Doe, Jane"';
const joe = '8,joe@acme.com,Terminated,Writers,7,Joe Q Public';
const text = (...rows: string[]) => [head, ...rows, ''].join('\n');

describe('shared/directory/file', () => {
  let folder: string;
  let path: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sendoff-roster-'));
    path = join(folder, 'roster.csv');
    await writeFile(path, text(jane, joe));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const directory = (more: object = {}): Directory => {
    const made = createFileDirectory('hr', kind.schema.parse({ type: 'file', roster: { path, ...more } }));
    if (made === null) throw new Error('no directory');
    return made;
  };
  /** As if it had been written a minute ago. */
  const settle = async (file = path) => {
    const then = new Date(Date.now() - 60_000);
    await utimes(file, then, then);
  };
  const standing = async (from: Directory, id = '7') => {
    const answer = await from.read(id);
    return answer.kind === 'found' ? answer.person.standing : answer.kind;
  };
  const unclear = async (from: Directory, why: string) => {
    for (const ask of [
      () => from.read('7'),
      () => from.read('none'),
      () => from.findByEmail('x@acme.com'),
      () => from.groupsLeft('7'),
    ]) {
      const error = await ask().then(
        () => null,
        (thrown: unknown) => thrown,
      );
      expect(error).toBeInstanceOf(DirectoryUnavailable);
      expect(String(error)).toContain(why);
    }
    await expect(from.list([]).next()).rejects.toBeInstanceOf(DirectoryUnavailable);
  };

  it('gives everything that a row says of a person', async () => {
    expect(await directory().read('7')).toEqual({
      kind: 'found',
      person: {
        directoryId: '7',
        standing: 'active',
        emails: ['Jane@acme.com', 'jd@acme.com'],
        firstName: 'Jane',
        lastName: 'Doe',
        manager: { directoryId: null, email: 'boss@acme.com' },
        groups: ['Writers', 'Readers'],
        assigned: null,
      },
    });
  });

  it('groups of a leaver give nothing, and say where they were', async () => {
    expect(await directory().read('8')).toMatchObject({
      person: {
        standing: 'inactive',
        groups: [],
        firstName: 'Joe Q',
        lastName: 'Public',
        manager: { directoryId: '7' },
      },
    });
    expect(await directory().groupsLeft('8')).toEqual(['Writers']);
  });

  it('finds every holder of an address, without case, and nobody else', async () => {
    await writeFile(path, text(jane, joe, '9,JD@acme.com,suspended,,,'));
    const ids = async (email: string) => (await directory().findByEmail(email)).map((one) => one.directoryId);
    await settle();
    expect(await ids('jd@ACME.com')).toEqual(['7', '9']);
    expect(await ids('nobody@acme.com')).toEqual([]);
  });

  it('lists everybody, the inactive too, with the groups that are asked for', async () => {
    const pages = [];
    for await (const page of directory().list(['writers'])) pages.push(page);
    expect(pages.flat()).toMatchObject([
      { directoryId: '7', standing: 'active', groups: ['writers'], assigned: null },
      { directoryId: '8', standing: 'inactive', groups: ['writers'] },
    ]);
  });

  it('sees every change at once, even one of the same length', async () => {
    const one = directory();
    for (let turn = 0; turn < 20; turn += 1) {
      const word = turn % 2 === 0 ? 'archived' : 'inactive';
      await writeFile(path, text(jane.replace('active', word)));
      expect(await one.read('7')).toMatchObject({ person: { standing: 'inactive' } });
      await writeFile(path, text(jane.replace(',active', turn % 2 === 0 ? ',ACTIVE' : ',Active')));
      expect(await standing(one)).toBe('active');
    }
  });

  it('a file that has settled is read once, and again when it was replaced', async () => {
    await settle();
    const one = directory();
    expect(await standing(one)).toBe('active');
    await writeFile(`${path}.new`, text(jane.replace(',active', ',former')));
    await settle(`${path}.new`);
    await rename(`${path}.new`, path);
    expect(await standing(one)).toBe('inactive');
  });

  it('who is not in a whole file is not found, once nobody writes it any more', async () => {
    const one = directory();
    await expect(one.read('none')).rejects.toThrow('may not be whole yet');
    await expect(one.findByEmail('nobody@acme.com')).rejects.toThrow('may not be whole yet');
    await settle();
    expect(await one.read('none')).toEqual({ kind: 'not-found' });
    expect(await one.findByEmail('nobody@acme.com')).toEqual([]);
  });

  it('reads a file again that changes meanwhile', async () => {
    const rows = Array.from({ length: 20_000 }, (_, i) => `p${i},p${i}@acme.com,active,,,`);
    await writeFile(path, text(...rows));
    const table = openTable({
      path,
      format: undefined,
      columns: { id: { heading: undefined, need: 'required' } },
      maxBytes: 1e9,
      ended: true,
    });
    const reading = table.rows();
    await reading.next();
    await appendFile(path, `${jane}\n`);
    await expect(async () => {
      while (!(await reading.next()).done);
    }).rejects.toBeInstanceOf(TableChanged);
    const answer = directory().read('7');
    await appendFile(path, `${joe}\n`);
    expect(await answer).toMatchObject({ kind: 'found' });
  });

  it.each<[string, string, string]>([
    ['nothing', '', 'is empty'],
    ['headings and nobody', text(), 'holds nobody'],
    ['no last line break', text(jane, joe).trimEnd(), 'does not end with a line break'],
    ['a last row cut off', text(jane, '8,joe@acme.c'), 'row 3'],
    ['a quotation mark cut off', text(jane).slice(0, -8), 'row 2 is never closed'],
    ['an id twice', text(jane, jane), 'row 3'],
    ['no id in a row', text(jane, ',x@acme.com,active,,,'), 'row 3'],
    ['something else than addresses', text('7,jane,active,,,'), 'row 2'],
    ['a status that nobody knows', text(jane.replace(',active', ',actve')), 'row 2'],
    ['an empty status', text(jane.replace(',active', ',')), 'row 2'],
    ['no column of ids', text(jane).replace('id,', 'number,'), 'no column "id"'],
    ['no column of groups', text(jane).replace('groups', 'teams'), 'no column "groups"'],
    ['a misspelt status column', text(jane).replace('status', 'staus'), 'no column "status"'],
    ['one heading twice', text(jane).replace('manager', 'id'), '2 columns "id"'],
    ['bytes that are no UTF-8', '\u0000', 'is not UTF-8'],
  ])('%s: unknown, never gone', async (what, content, why) => {
    await writeFile(
      path,
      what.startsWith('bytes') ? Buffer.from(`${text(jane)}9,\xff@acme.com,,,,\n`, 'latin1') : content,
    );
    await unclear(directory(), why);
  });

  it('no file, a folder, and too few people: unknown too', async () => {
    await unclear(directory({ atLeast: 3 }), 'at least 3');
    await unclear(directory({ path: folder }), 'is no file');
    await rm(path);
    await unclear(directory(), 'does not exist');
  });

  it('what was readable before does not answer for a file that is not any more', async () => {
    const one = directory();
    expect(await standing(one)).toBe('active');
    await appendFile(path, '9,x@acme.com');
    await unclear(one, 'row 4');
  });

  it.each<[string, string]>([
    ['a mark at the beginning', `\ufeff${text(jane)}`],
    ['CRLF', text(jane).replaceAll('\n', '\r\n')],
    [
      'semicolons',
      text('7;jane@acme.com jd@acme.com;active;"Writers;Readers";;').replaceAll(head, head.replaceAll(',', ';')),
    ],
    ['tabs', text('7,jane@acme.com,active,Writers;Readers,,').replaceAll(',', '\t')],
    ['empty lines and cells behind', text(jane).replace('\n7', '\n\n7').replace('Jane"', 'Jane",,')],
    ['a line break inside a cell', text('7,"jane@acme.com\njd@acme.com",active,"Writers;Readers",,')],
    ['headings in capitals with blanks', text(jane).replace(head, ' ID , Email,STATUS,Groups,Manager,Name')],
  ])('reads %s', async (_, content) => {
    await writeFile(path, content);
    expect(await directory().read('7')).toMatchObject({
      person: { standing: 'active', groups: ['Writers', 'Readers'] },
    });
  });

  it.each<[string, string]>([
    ['a list', JSON.stringify([{ id: 7, email: ['jane@acme.com'], status: 'active', groups: ['Writers', 'Readers'] }])],
    [
      'lines',
      '{"id":7,"email":"jane@acme.com","status":"active","groups":["Writers","Readers"]}\n{"id":8,"email":"","status":"left"}\n',
    ],
  ])('reads JSON as %s', async (_, content) => {
    path = join(folder, 'roster.json');
    await writeFile(path, content);
    expect(await directory().read('7')).toMatchObject({
      person: { standing: 'active', groups: ['Writers', 'Readers'] },
    });
    await writeFile(path, content.trimEnd().slice(0, -1));
    await unclear(directory(), path);
  });

  it('uses the columns and words of the configuration, and misses them when they are gone', async () => {
    const more = {
      columns: { id: 'Personalnummer', email: 'E-Mail', status: 'Stand', groups: 'none' },
      active: ['aktiv'],
      suspended: ['beurlaubt'],
      inactive: ['ausgetreten'],
    };
    await writeFile(path, 'Personalnummer;E-Mail;Stand\n7;jane@acme.com;Beurlaubt\n');
    expect(await directory(more).read('7')).toMatchObject({ person: { standing: 'suspended', groups: [] } });
    await writeFile(path, 'Personalnummer;E-Mail;Status\n7;jane@acme.com;Beurlaubt\n');
    await unclear(directory(more), 'no column "Stand"');
  });

  it('without a column of states everybody in the file is active', async () => {
    await writeFile(path, 'id,email,groups\n7,jane@acme.com,\n');
    expect(await standing(directory())).toBe('active');
  });

  it('tells the doctor what is there or wrong, and never throws', async () => {
    expect(await directory().doctor()).toMatchObject([{ ok: true, detail: expect.stringContaining('1 active') }]);
    await rm(path);
    expect(await directory().doctor()).toMatchObject([
      { ok: false, detail: expect.stringContaining('does not exist') },
    ]);
  });
});
