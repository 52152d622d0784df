import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AuditLine } from '#shared/audit/record.js';
import type { PlanItem } from '#shared/store/plans.js';
import type { JournalEntry } from '#test/emulators/sendgrid/index.js';
import { until } from './sendoff.js';
import type { World } from './world.js';

// What tests of whole flows ask a world, beside what it knows itself.

/** What the command line shows of somebody's newest plan. */
export async function newestPlan(world: World, email: string): Promise<PlanItem> {
  const { items } = await world.json<{ items: PlanItem[] }>('plans', 'list', '--all');
  const plan = items.find((one) => one.person.email === email);
  if (plan === undefined) throw new Error(`nothing was planned for ${email}`);
  return plan;
}

/** A plan's actions, each as one line. */
export function actionLines({ actions }: Pick<PlanItem, 'actions'>): string[] {
  return actions.map(
    ({ kind, footprint, subuser, state }) =>
      `${kind} ${footprint}${subuser === null ? '' : ` in ${subuser}`}: ${state}`,
  );
}

/** Waits until nothing is under way but what waits for somebody outside, or for a moment to come. */
export async function calm(world: World): Promise<void> {
  await until('nothing is under way', async () => {
    const { rows } = await world.database.pool.query(
      `select (select count(*) from inbox where due_at < now() + interval '2 minutes')::int
        + (select count(*) from plan where due_at < now() + interval '2 minutes' and state != 'settled')::int
        + (select count(*) from action where due_at < now() + interval '2 minutes')::int as open`,
    );
    return rows[0].open === 0;
  }).catch(async (error: unknown) => {
    const { rows } = await world.database.pool.query(
      `select 'event' as what, state, due_at, round, last_error from inbox where due_at is not null
       union all select 'plan', state, due_at, round, last_error from plan where due_at is not null
       union all select kind, state, due_at, round, last_error from action where due_at is not null limit 20`,
    );
    throw new Error(`${String(error)}\n${JSON.stringify(rows)}`);
  });
}

/** Lists read so far are old now, and whatever waits for somebody outside is looked at again. */
export async function minutesPass(world: World): Promise<void> {
  await world.database.pool.query(`update roster set read_at = read_at - interval '10 minutes'`);
  await world.database.pool.query(`update action set due_at = now() where state = 'waiting' and due_at is not null`);
  await calm(world);
}

/** Requests that changed something, each as one line, the subuser first. */
export function writes(journal: JournalEntry[]): string[] {
  return journal
    .filter((entry) => entry.applied)
    .map(
      ({ account, subuser, method, path }) =>
        `${account}${subuser === null ? '' : `/${subuser}`} ${method} ${decodeURIComponent(path)}`,
    );
}

/** The whole audit trail, exported and verified as an auditor does. */
export async function verifiedTrail(world: World): Promise<AuditLine[]> {
  const exported = await world.workplace.run(['audit', 'export']);
  const file = join(world.workplace.dir, 'audit.jsonl');
  await writeFile(file, exported.stdout);
  const verified = await world.workplace.run(['audit', 'verify', '--file', file]);
  if (verified.code !== 0) throw new Error(`the audit trail does not verify: ${verified.stdout}${verified.stderr}`);
  const lines = exported.stdout.trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line) as AuditLine).filter((line) => String(line.kind) !== 'checkpoint');
}
