import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { JournalEntry } from '#test/emulators/sendgrid/index.js';
import type { World } from '#test/support/world.js';

// The judge of every fault test, after Jepsen: what was promised against what SendGrid's own journal shows.

export interface Promised {
  /** Addresses of the people who left, whether or not their event was acknowledged. Nobody else may be touched. */
  leavers: Iterable<string>;
  /** Event ids that were answered 2xx. Default: whatever is in the inbox. */
  acknowledged?: Iterable<string>;
  /** Tokens of invitations that may be deleted, as they were before the fault. */
  invitations?: Iterable<string>;
}

interface AuditLine {
  kind: string;
  account: string | null;
  person: { email?: string } | null;
  action: { id: string; target?: string } | null;
  cause: { eventIds: string[] } | null;
}

/** Call it when everything is quiet. */
export async function check(world: World, promised: Promised): Promise<void> {
  const leavers = [...promised.leavers];
  const tokens = new Set(promised.invitations);
  const { journal } = world.sendgrid;
  const changes = journal.filter(isChange);
  const applied = changes.filter((entry) => entry.applied);

  // Nobody is touched who is not in the input.
  const input = new Set(leavers);
  expect(changes.filter((entry) => !input.has(target(entry)) && !tokens.has(target(entry)))).toEqual([]);

  // Each effect is applied at most once, and asked for once.
  expect(repeated(applied)).toEqual([]);
  expect(repeated(changes)).toEqual([]);

  // Everything acknowledged is stored, once, and finished.
  const { rows } = await world.database.pool.query<{ event_id: string; state: string; email: string | null }>(
    `select event_id, state, lower(person_ref ->> 'email') as email from inbox where state not in ('ignored', 'quarantined')`,
  );
  const states = new Map(rows.map((row) => [row.event_id, row.state]));
  const acknowledged = [...(promised.acknowledged ?? states.keys())];
  expect(acknowledged.filter((id) => states.get(id) !== 'done')).toEqual([]);

  // … and done: whoever an acknowledged event was about is out everywhere, by the journal and by the rosters.
  const out = new Set(applied.map(target));
  const done = leavers.filter((email) =>
    rows.some((row) => row.email === email.toLowerCase() && acknowledged.includes(row.event_id)),
  );
  expect(done.length).toBeGreaterThan(0);
  expect(done.filter((email) => !out.has(email))).toEqual([]);
  const accounts = [...new Set(journal.map(({ account }) => account))].map((name) => world.account(name));
  expect(done.filter((email) => accounts.some((account) => account.has(email)))).toEqual([]);

  await checkAudit(world, applied, acknowledged, done);
}

/** The trail is whole, and tells of every event, of every effect after its announcement, and of every end. */
async function checkAudit(
  world: World,
  applied: JournalEntry[],
  acknowledged: string[],
  done: string[],
): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'sendoff-audit-'));
  try {
    const file = join(dir, 'audit.jsonl');
    const exported = await world.workplace.run(['audit', 'export']);
    expect([exported.code, exported.stderr]).toEqual([0, '']);
    await writeFile(file, exported.stdout);
    const verified = await world.workplace.run(['audit', 'verify', '--file', file]);
    expect([verified.code, verified.stdout]).toEqual([0, expect.stringContaining('the whole log')]);

    const lines = exported.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as AuditLine);
    const of = (kind: string) => lines.filter((line) => line.kind === kind);
    const received = of('event.received').flatMap((line) => line.cause?.eventIds ?? []);
    expect(duplicates(received)).toEqual([]);
    expect(acknowledged.filter((id) => !received.includes(id))).toEqual([]);

    // An effect that a killed process sent may be found done by the next one: then one of the two says so.
    const ends = lines.filter((line) => line.kind === 'action.applied' || line.kind === 'action.noop');
    expect(duplicates(ends.map((line) => line.action?.id ?? ''))).toEqual([]);
    expect(of('action.applied')).toHaveLength(applied.length);
    for (const end of of('action.applied')) {
      const announced = lines.findIndex(
        (line) => line.kind === 'action.attempted' && line.action?.id === end.action?.id,
      );
      expect([end.action?.id, announced]).not.toEqual([end.action?.id, -1]);
      expect(announced).toBeLessThan(lines.indexOf(end));
    }
    const settled = new Set(of('person.settled').map((line) => line.person?.email));
    expect(done.filter((email) => !settled.has(email))).toEqual([]);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

function isChange({ method }: JournalEntry): boolean {
  return method !== 'GET';
}

/** Whom or what a change is about: an address, a username, or an invitation's token. */
function target({ path, body }: JournalEntry): string {
  const named = (body as { email?: unknown } | null)?.email;
  return typeof named === 'string' ? named : decodeURIComponent(path.split('/').at(-1) ?? '');
}

function repeated(entries: JournalEntry[]): string[] {
  return duplicates(
    entries.map((entry) => `${entry.account} ${entry.method} ${entry.path} ${JSON.stringify(entry.body)}`),
  );
}

function duplicates(list: string[]): string[] {
  return list.filter((one, index) => list.indexOf(one) !== index);
}
