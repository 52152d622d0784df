import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '#shared/clock.js';
import { createTestDatabase, type TestDatabase } from '#test/support/database.js';
import { until } from '#test/support/sendoff.js';
import { appendAudit } from './append.js';
import { signCheckpoint } from './checkpoint.js';
import { erasePersonal } from './erase.js';
import { exportAudit } from './export.js';
import type { AuditInput } from './record.js';
import { sequenceAudit } from './sequence.js';
import { generateSigningKey, loadSigningKey } from './signing-key.js';
import { verifyExport } from './verify.js';

const signer = loadSigningKey(generateSigningKey());
const person = '11111111-1111-4111-8111-111111111111';

const record = (i: number): AuditInput => ({
  kind: 'action.applied',
  account: 'marketing',
  person: { id: person, email: `p${i}@acme.com` },
  action: { id: `a${i}`, kind: 'deprovision', footprint: 'teammate', target: `p${i}` },
  before: { present: true, admin: false, scopes: ['mail.send'] },
  after: { present: false },
  cause: { source: 'okta', eventIds: [`e${i}`], plan: null },
  actor: 'worker',
});

/** The parts of a line that the tests tamper with. */
interface Line {
  person: { email?: string };
  action: object;
  before: object;
  cause: object;
  salt?: string;
}

describe('shared/audit', () => {
  let database: TestDatabase;
  let lines: string[];
  beforeAll(async () => {
    database = await createTestDatabase();
    await appendAudit(
      database.db,
      Array.from({ length: 40 }, (_, i) => record(i)),
    );
  });
  afterAll(() => database.drop());

  const exported = async (options: { since?: Date; until?: Date } = {}) => {
    const all: string[] = [];
    for await (const chunk of exportAudit(database.db, {
      format: 'jsonl',
      since: options.since ?? null,
      until: options.until ?? null,
      signer,
    })) {
      all.push(...chunk.trimEnd().split('\n'));
    }
    return all;
  };
  const verdict = (of: string[], key: string | null = signer.publicKey) => verifyExport(of, key);
  const edited = (at: number, change: (line: Line) => void) => {
    const line = JSON.parse(lines[at] ?? '');
    change(line);
    return lines.with(at, JSON.stringify(line));
  };
  beforeEach(async () => {
    lines = await exported();
  });

  it('a whole log verifies, and says how much it covers', async () => {
    expect(await verdict(lines)).toMatchObject({ ok: true, records: 40, treeSize: 40 });
    expect(lines.slice(0, 40).map((line) => JSON.parse(line).seq)).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
  });

  it.each<[string, (line: Line) => void]>([
    ['the time', (line) => Object.assign(line, { at: '2020-01-01T00:00:00.000Z' })],
    ['the kind', (line) => Object.assign(line, { kind: 'action.noop' })],
    ['the account', (line) => Object.assign(line, { account: 'other' })],
    ['the person', (line) => Object.assign(line.person, { id: '22222222-2222-4222-8222-222222222222' })],
    ['the address', (line) => Object.assign(line.person, { email: 'somebody@acme.com' })],
    ['the target', (line) => Object.assign(line.action, { target: 'somebody' })],
    ['what was there before', (line) => Object.assign(line.before, { admin: true })],
    ['what was there after', (line) => Object.assign(line, { after: null })],
    ['the cause', (line) => Object.assign(line.cause, { source: 'other' })],
    ['the actor', (line) => Object.assign(line, { actor: 'nobody' })],
    ['the hash', (line) => Object.assign(line, { hash: '0'.repeat(64) })],
    ['the hash before', (line) => Object.assign(line, { prevHash: '0'.repeat(64) })],
    ['a key that was not there', (line) => Object.assign(line, { note: 'x' })],
    ['a key inside that was not there', (line) => Object.assign(line.person, { name: 'x' })],
    ['the address left out', (line) => delete line.person.email],
    ['the proof left out', (line) => delete line.salt],
  ])('finds %s edited, and where', async (_, change) => {
    expect(await verdict(edited(12, change))).toMatchObject({ ok: false, firstBadSeq: 13 });
  });

  it.each<[string, (all: string[]) => string[]]>([
    ['a record deleted', (all) => all.toSpliced(5, 1)],
    ['a record twice', (all) => all.toSpliced(5, 0, all[5] ?? '')],
    ['two records swapped', (all) => all.with(5, all[6] ?? '').with(6, all[5] ?? '')],
    ['the first records missing', (all) => all.slice(3)],
    ['the last records missing', (all) => all.toSpliced(35, 5)],
    ['the checkpoint missing', (all) => all.slice(0, -1)],
    ['only the checkpoint', (all) => all.slice(-1)],
    ['something behind the checkpoint', (all) => [...all, all[0] ?? '']],
    ['a line that is no JSON', (all) => all.with(7, '{')],
    ['an empty file', () => []],
    ['blank lines only', () => ['', '']],
  ])('finds %s', async (_, change) => {
    expect((await verdict(change(lines))).ok).toBe(false);
  });

  it('finds a log that was rewritten and signed with another key', async () => {
    const other = loadSigningKey(generateSigningKey());
    expect(await verdict(lines, other.publicKey)).toMatchObject({ ok: false, defect: 'bad-signature' });
  });

  it('whatever byte of a record’s values changes, it is found', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: 39 }), fc.nat(), async (at, where) => {
        const line = lines[at] ?? '';
        const position = where % line.length;
        const flipped = line.slice(0, position) + (line[position] === '7' ? '8' : '7') + line.slice(position + 1);
        const result = await verdict(lines.with(at, flipped));
        expect(result.ok).toBe(false);
      }),
      { numRuns: 60 },
    );
  });

  it('a slice by time verifies as an untouched part of the whole, and not when it is shortened', async () => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    const since = new Date();
    await appendAudit(database.db, [record(100), record(101)]);
    const slice = await exported({ since });
    expect(slice).toHaveLength(3);
    expect(await verdict(slice)).toMatchObject({ ok: true, records: 2 });
    expect((await verdict(slice.slice(1))).ok).toBe(false);
  });

  it('a slice misses no record whose clock ran ahead or behind, nor one of years ago', async () => {
    const at = async (when: string, i: number) => {
      await appendAudit(database.db, record(i), { ...systemClock, now: () => new Date(when) });
      // Nothing is placed before a transaction that began earlier, in whatever database of this server.
      await until('it has its place', async () => {
        await sequenceAudit(database.db);
        return (await database.pool.query('select 1 from audit_pending limit 1')).rowCount === 0;
      });
    };
    await at('2031-06-01T12:00:00Z', 200);
    await at('2031-06-03T12:10:00Z', 201);
    await at('2031-06-03T12:00:00Z', 202);
    await at('2031-06-09T12:00:00Z', 203);
    const targets = async (options: { since?: Date; until?: Date }) => {
      const slice = await exported(options);
      expect(await verdict(slice)).toMatchObject({ ok: true });
      return slice.slice(0, -1).map((line) => JSON.parse(line).action.target);
    };
    expect(await targets({ since: new Date('2031-06-03T12:05:00Z') })).toEqual(['p201', 'p202', 'p203']);
    expect(await targets({ since: new Date('2031-06-02T00:00:00Z'), until: new Date('2031-06-03T12:05:00Z') })).toEqual(
      ['p201', 'p202'],
    );
    expect(await targets({ since: new Date('2031-06-04T00:00:00Z'), until: new Date('2031-06-08T00:00:00Z') })).toEqual(
      [],
    );
    expect((await targets({ until: new Date('2031-06-02T00:00:00Z') })).at(-1)).toBe('p200');
    expect(await targets({ until: new Date('2001-01-01T00:00:00Z') })).toEqual([]);
  });

  it('the database itself refuses edits, deletions and truncation', async () => {
    for (const statement of [
      `update audit_entry set canonical = '{}'`,
      'delete from audit_entry',
      'truncate audit_entry cascade',
      `update audit_chain set hash = '\\x00'`,
      'delete from audit_chain',
      'delete from audit_checkpoint',
      `update audit_personal set data = '{}'`,
    ]) {
      await expect(database.pool.query(statement)).rejects.toThrow(/INSERT-only/);
    }
  });

  it('erased personal data leaves a log that verifies and names nobody', async () => {
    await erasePersonal(database.db, person, 'test');
    const after = await exported();
    expect(await verdict(after)).toMatchObject({ ok: true });
    expect(after.join('\n')).not.toContain('@acme.com');
  });

  it('twenty writers with slow transactions lose nothing and leave no gap', async () => {
    const before = (await exported()).length - 1;
    const writer = async (i: number) => {
      await database.db.transaction().execute(async (tx) => {
        await appendAudit(tx, record(200 + i));
        await new Promise((resolve) => setTimeout(resolve, (i % 5) * 10));
      });
      await sequenceAudit(database.db);
    };
    await Promise.all(Array.from({ length: 20 }, (_, i) => writer(i)));
    await sequenceAudit(database.db);
    await signCheckpoint(database.db, signer);
    const after = await exported();
    expect(after).toHaveLength(before + 20 + 1);
    expect(await verdict(after)).toMatchObject({ ok: true });
  });

  it('writes no credential, whoever asks for it', async () => {
    await expect(
      appendAudit(database.db, { kind: 'plan.made', actor: 'x', detail: { key: 'SG.abcdefghijkl.mnopqrstuvwx' } }),
    ).rejects.toMatchObject({
      code: 'AUDIT_CREDENTIAL',
    });
  });

  it.each([
    ['PKCS#8 PEM', (pem: string) => pem],
    ['PEM with literal \\n', (pem: string) => pem.replaceAll('\n', '\\n')],
    [
      'the seed in base64',
      (pem: string) =>
        Buffer.from(pem.split('\n')[1] ?? '', 'base64')
          .subarray(-32)
          .toString('base64'),
    ],
  ])('takes a signing key as %s', (_, form) => {
    const pem = generateSigningKey();
    expect(loadSigningKey(form(pem)).publicKey).toBe(loadSigningKey(pem).publicKey);
  });

  it.each([
    '',
    'x',
    '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----',
    Buffer.alloc(31).toString('base64'),
  ])('refuses %j as a signing key', (text) => {
    expect(() => loadSigningKey(text)).toThrow(expect.objectContaining({ code: 'SIGNING_KEY_INVALID' }));
  });
});
