import { randomUUID } from 'node:crypto';
import { Agent, request } from 'undici';
import { systemClock } from '#shared/clock.js';
import { readEnvironment } from '#shared/config/environment.js';
import { loadConfig } from '#shared/config/load.js';
import { policyOf } from '#shared/config/policy.js';
import { inTurns } from '#shared/in-turns.js';
import { identify } from '#shared/planning/identify.js';
import { planPersonFor } from '#shared/planning/plan-person.js';
import { openOutside } from '#shared/planning/surroundings.js';
import { openPostgresBackend } from '#shared/queue/postgres.js';
import { openJobQueue, type WorkJob } from '#shared/queue/queue.js';
import { ensureAccounts } from '#shared/store/accounts.js';
import { openDatabase, poolConfig } from '#shared/store/database.js';
import { attachPerson, inboxEvent, storeFinding } from '#shared/store/inbox.js';
import { createLog } from '#shared/telemetry/log.js';
import { handlers } from '#workers/handlers.js';
import { processJob } from '#workers/process-job.js';

// One process, one queue, the same jobs twice: bare, and through the ledger. Told what to do by ledger.ts.

interface Task {
  /** Each round has people of its own: `bare` and `ledger` take turns, so that neither has the better minute. */
  rounds: { kind: 'bare' | 'ledger'; people: { id: string; account: string; email: string }[] }[];
  concurrency: number;
}

const task = JSON.parse(process.env.BENCH_TASK ?? '') as Task;
const environment = readEnvironment(process.env);
const { config } = loadConfig({ env: process.env });
const policy = policyOf(config);
const log = createLog({ level: 'error', role: 'bench', secrets: [] });
const options = {
  url: environment.databaseUrl ?? '',
  max: 24,
  statementTimeoutMs: 30_000,
  applicationName: 'bench-ledger',
  tls: environment.databaseTls,
};
const { db, close } = openDatabase({ ...options, log });
await ensureAccounts(db, Object.keys(config.accounts));
const { clients, twilio, surroundings } = openOutside(db, config, policy, async () => undefined);
const context = {
  db,
  policy,
  surroundings,
  clients,
  twilio,
  clock: systemClock,
  log,
  owner: randomUUID(),
  nudge: () => undefined,
  scrub: (text: string) => text,
};
const backend = openPostgresBackend(poolConfig({ ...options, statementTimeoutMs: 0 }), () => undefined);
await backend.prepare(AbortSignal.timeout(30_000));
const queue = openJobQueue(backend, () => undefined);

const took = { bare: 0, ledger: 0 };
for (const { kind, people } of task.rounds) {
  const targets = new Map(people.map((person) => [randomUUID() as string, person]));
  const ids = kind === 'bare' ? [...targets.keys()] : await planAll(people);
  const toJob = (id: string) => ({ name: 'execute-action' as const, id: `bench-${id}`, payload: { id }, trace: null });
  await queue.add(ids.map(toJob));
  took[kind] += await workThrough(ids.length, kind === 'bare' ? bare(targets) : ledger);
}
const { rows } = await db
  .selectFrom('action')
  .select(({ fn }) => fn.countAll<string>().as('done'))
  .where('state', '=', 'done')
  .execute()
  .then((result) => ({ rows: result }));
await queue.close();
await backend.close();
await close();
process.stdout.write(`${JSON.stringify({ ...took, done: Number(rows[0]?.done) })}\n`);

/** @returns the ids of their actions: planned, gated and stored as in life, before the clock runs */
async function planAll(people: Task['rounds'][number]['people']): Promise<string[]> {
  const plans: string[] = [];
  const now = new Date();
  await inTurns(people, 4, async ({ id, email }) => {
    const ref = { directoryId: id, email };
    const known = await identify(surroundings, ref, 'okta');
    const eventId = await storeFinding(db, { eventId: `bench:${id}`, type: 'terminated', ref, raw: {}, now });
    await attachPerson(db, eventId, known.person.id);
    const event = await inboxEvent(db, eventId);
    const plan = event === null ? null : await planPersonFor(surroundings, event, known);
    if (plan !== null) plans.push(plan.planId);
  });
  const actions = await db.selectFrom('action').select('id').where('plan_id', 'in', plans).execute();
  return actions.map(({ id }) => id);
}

/** @returns ms from the worker's start to the last of so many jobs */
async function workThrough(count: number, work: (job: WorkJob, token?: string) => Promise<void>): Promise<number> {
  const began = performance.now();
  let done = 0;
  let last = began;
  const worker = backend.openWorker('actions', work, task.concurrency);
  await new Promise<void>((resolve, reject) => {
    worker.on('completed', () => {
      done += 1;
      last = performance.now();
      if (done === count) resolve();
    });
    worker.on('failed', (_job, error) => reject(error));
  });
  await worker.close();
  return last - began;
}

function ledger(job: WorkJob, token?: string): Promise<void> {
  return processJob(context, handlers, job, token);
}

/** Look, delete, look again; nothing remembered, nothing asked, nothing paced. */
function bare(targets: Map<string, { account: string; email: string }>): (job: WorkJob) => Promise<void> {
  const agent = new Agent({ connections: task.concurrency });
  return async (job) => {
    const { account, email } = targets.get(job.data.id) ?? { account: '', email: '' };
    const { apiKey = '', baseUrl = '' } = config.accounts[account] ?? {};
    for (const method of ['GET', 'DELETE', 'GET'] as const) {
      const answer = await request(`${baseUrl}/v3/teammates/${encodeURIComponent(email)}`, {
        dispatcher: agent,
        method,
        headers: { authorization: `Bearer ${apiKey}` },
      });
      await answer.body.text();
    }
  };
}
