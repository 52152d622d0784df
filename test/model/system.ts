import { DelayedError } from 'bullmq';
import type { KyselyPlugin } from 'kysely';
import { vi } from 'vitest';
import { normalize } from '#producers/okta/normalize.js';
import { exportAudit } from '#shared/audit/export.js';
import type { AuditLine } from '#shared/audit/record.js';
import { sequenceAudit } from '#shared/audit/sequence.js';
import { generateSigningKey, loadSigningKey } from '#shared/audit/signing-key.js';
import { verifyExport } from '#shared/audit/verify.js';
import { systemClock } from '#shared/clock.js';
import { policyOf } from '#shared/config/policy.js';
import { configSchema } from '#shared/config/schema.js';
import { DirectoryUnavailable } from '#shared/directory/directory.js';
import { armFailpoint, type FailpointName } from '#shared/failpoint.js';
import { reconcile } from '#shared/planning/reconcile.js';
import { openOutside } from '#shared/planning/surroundings.js';
import { type JobName, jobNames, jobs } from '#shared/queue/jobs.js';
import type { WorkJob } from '#shared/queue/queue.js';
import { ensureAccounts, openBreaker } from '#shared/store/accounts.js';
import { databaseNow } from '#shared/store/database.js';
import { createIntake } from '#shared/store/intake.js';
import { linkMatched } from '#shared/store/people.js';
import { beginRun } from '#shared/store/reconcile-runs.js';
import { findDue, takeDue } from '#shared/store/work.js';
import { hookPayload, type LogEventSeed, startOktaEmulator } from '#test/emulators/okta/index.js';
import { startSendGridEmulator } from '#test/emulators/sendgrid/index.js';
import { createTestDatabase, type TestDatabase } from '#test/support/database.js';
import { lcg } from '#test/support/random.js';
import { silent } from '#test/support/silent.js';
import type { WorkContext } from '#workers/context.js';
import { handlers } from '#workers/handlers.js';
import { processJob } from '#workers/process-job.js';
import { accounts } from './model.js';

// Sendoff in this process: its own handlers, intake and tables, on a real PostgreSQL, between the emulators. Only the
// queue is replaced, by a relay that runs one due row at a time in an order that the test chooses.

export const app = '0oa-sendgrid';
export const scopesOf = { sender: ['mail.send', 'templates.read'], reader: ['stats.read'] };
const longestRounds = 60;

/** Every waiting row is made due, and every lease ends: nobody works between two steps. */
const timePasses = `
  update inbox set due_at = now() where due_at > now();
  update plan set due_at = now() where due_at > now();
  update action set due_at = now(), lease_until = least(lease_until, now()) where due_at > now();
  update roster set tokens = null, reading_until = null;
  delete from pace`;

export type System = Awaited<ReturnType<typeof createSystem>>;
type Seed = (system: {
  okta: Awaited<ReturnType<typeof startOktaEmulator>>;
  sendgrid: Awaited<ReturnType<typeof startSendGridEmulator>>;
}) => void;

interface Due {
  name: JobName;
  id: string;
  round: number;
}

/** @param seed fills the directory and the accounts, which are to agree */
export async function createSystem(seed: Seed) {
  const okta = await startOktaEmulator();
  const sendgrid = await startSendGridEmulator();
  const database = await createTestDatabase();
  const { db, pool } = database;
  okta.apps.add(app);
  for (const name of accounts) {
    sendgrid.addAccount({
      name,
      apiKey: `SG.key-of-${name}`,
      owner: { username: `${name}-owner`, email: 'owner@acme.com' },
    });
  }
  seed({ okta, sendgrid });
  const config = configSchema.parse({
    version: 1,
    authority: 'okta',
    sources: {
      okta: {
        type: 'okta',
        orgUrl: okta.url,
        token: 'okta-emulator-token',
        hookSecret: 'a-hook-secret-0123456789',
        app,
      },
    },
    accounts: {
      alpha: { apiKey: 'SG.key-of-alpha', baseUrl: sendgrid.url, mode: 'enforce' },
      beta: { apiKey: 'SG.key-of-beta', baseUrl: sendgrid.url, mode: 'approve' },
    },
    roles: { sender: { scopes: scopesOf.sender }, reader: { scopes: scopesOf.reader } },
    grants: [
      { group: 'senders', account: 'alpha', role: 'sender' },
      { group: 'senders', account: 'beta', role: 'sender' },
      { group: 'readers', account: 'alpha', role: 'reader' },
    ],
    offboarding: { successor: 'none', recheck: '0s', reassign: [] },
    provisioning: { create: true, rename: false },
    protect: ['vip@acme.com'],
    limits: { removals: { floor: 1000, max: 1000 }, runShare: 1 },
  });
  const policy = policyOf(config);
  await ensureAccounts(db, [...accounts]);
  for (const account of accounts) await linkMatched(db, account, matchedIn(account));

  /** As a comparison finds them. */
  function matchedIn(account: string) {
    const mates = [...sendgrid.account(account).teammates.values()];
    return [...okta.users.values()].flatMap(({ id, email }) =>
      mates
        .filter((mate) => mate.email === email)
        .map(({ username }) => ({ directory: 'okta', directoryId: id, email, username })),
    );
  }

  let lives = 0;
  let life = begin();

  /** A process: once it is dead, it writes nothing any more. */
  function begin() {
    lives += 1;
    const state = { dead: false };
    const mortal: KyselyPlugin = {
      transformQuery({ node }) {
        if (state.dead) throw new Error('this process is dead');
        return node;
      },
      transformResult: async ({ result }) => result,
    };
    const own = db.withPlugin(mortal);
    const outside = openOutside(own, config, policy, (account, reason) => openBreaker(own, account, reason));
    const context: WorkContext = {
      db: own,
      policy,
      ...outside,
      clock: systemClock,
      log: silent as WorkContext['log'],
      owner: `worker-${lives}`,
      nudge: () => undefined,
      scrub: (text) => text,
    };
    return { state, context, intake: createIntake(own) };
  }

  const kill = process.kill.bind(process);
  const spy = vi.spyOn(process, 'kill').mockImplementation((pid, signal) => {
    if (pid !== process.pid || signal !== 'SIGKILL') return kill(pid, signal);
    life.state.dead = true;
    armFailpoint(null);
    throw new Error('killed');
  });

  /** @returns false when the process died of it; another has taken its place by then */
  async function survive(work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
    } catch (error) {
      if (!life.state.dead) throw error;
    }
    if (!life.state.dead) return true;
    await closeClients();
    life = begin();
    return false;
  }

  /** Transactions of other tests on the same server hold up what is placed: an export of before would lack the newest. */
  async function allPlaced(): Promise<void> {
    await vi.waitFor(
      async () => {
        await sequenceAudit(db);
        const { rows } = await pool.query('select count(*)::int as pending from audit_pending');
        if (rows[0].pending > 0) throw new Error(`${rows[0].pending} audit records are not placed`);
      },
      { timeout: 60_000, interval: 100 },
    );
  }

  const closeClients = () => Promise.all([...life.context.clients.values()].map((client) => client.close()));

  async function due(): Promise<Due[]> {
    const all: Due[] = [];
    for (const name of jobNames) {
      for (const row of await findDue(db, jobs[name].table, 500)) all.push({ name, ...row });
    }
    return all;
  }

  let ranJobs = 0;
  async function runRow({ name, id, round }: Due): Promise<void> {
    const [taken] = await takeDue(db, jobs[name].table, [{ id, round }]);
    if (taken === undefined) return;
    ranJobs += 1;
    const job = { name, data: { id }, attemptsMade: 0, opts: { attempts: 8 }, moveToDelayed: async () => undefined };
    await survive(async () => {
      try {
        await processJob(life.context, handlers, job as unknown as WorkJob, 'token');
      } catch (error) {
        if (!(error instanceof DelayedError)) throw error;
      }
    });
    okta.fault = null;
  }

  return {
    okta,
    sendgrid,
    db,
    pool,
    policy,
    payload: (event: LogEventSeed) => Buffer.from(JSON.stringify(hookPayload(okta.url, [event]))),
    /** As Okta posts: once more when there was no 2xx. */
    async deliver(body: Buffer): Promise<void> {
      const store = () => life.intake.store('okta', normalize(body, app)).then(() => undefined);
      if (!(await survive(store))) await survive(store);
    },
    /** Runs up to so many due rows, in an order made of a seed. */
    async work(rows: number, order: number): Promise<void> {
      const random = lcg(order);
      for (let n = 0; n < rows; n += 1) {
        const all = await due();
        const picked = all[Math.floor(random() * all.length)];
        if (picked === undefined) return;
        await runRow(picked);
      }
    },
    /** Runs due rows and lets time pass until nothing is left to do but what is stopped. */
    async quiesce(stopped: ReadonlySet<string>): Promise<void> {
      for (let round = 0; round < longestRounds; round += 1) {
        await pool.query(timePasses);
        const rows = await due();
        const waits = await pool.query<{ id: string }>(
          'select id from action where account = any($1) and state in ($2, $3, $4)',
          [[...stopped], 'ready', 'executing', 'unknown'],
        );
        const still = new Set(waits.rows.map(({ id }) => id));
        if (rows.every(({ id }) => still.has(id))) return;
        for (const row of rows) await runRow(row);
      }
      const { rows } = await pool.query(
        `select 'event' as what, state, coalesce(last_error, reason) as why from inbox where due_at is not null
         union all select 'plan', state, last_error from plan where due_at is not null
         union all select 'action', state, last_error from action where due_at is not null`,
      );
      throw new Error(`after ${longestRounds} rounds there is still something to do: ${JSON.stringify(rows)}`);
    },
    /** As the upkeep does: one that breaks off is tried again some other time. */
    async reconcile(): Promise<void> {
      await pool.query(`update reconcile_run set seen_at = seen_at - interval '1 hour'`);
      const now = new Date(await databaseNow(db));
      await survive(async () => {
        const runId = await beginRun(life.context.db, 'cheap', 'test');
        if (runId === null) throw new Error('a comparison is still under way');
        await reconcile(life.context.surroundings, { runId, mode: 'cheap', by: 'test', now }).catch(
          (error: unknown) => {
            if (!(error instanceof DirectoryUnavailable)) throw error;
          },
        );
      });
      okta.fault = null;
    },
    crashAt: (name: FailpointName, passing: number) => armFailpoint(`${name}:kill:${passing}`),
    /** The whole trail, verified. */
    async audit(): Promise<AuditLine[]> {
      await allPlaced();
      const signer = loadSigningKey(generateSigningKey());
      const lines: string[] = [];
      for await (const chunk of exportAudit(db, { format: 'jsonl', since: null, until: null, signer })) {
        lines.push(chunk.trimEnd());
      }
      const verdict = await verifyExport(lines, signer.publicKey);
      if (!verdict.ok) throw new Error(`the audit trail does not verify: ${verdict.detail}`);
      return lines.slice(0, -1).map((line) => JSON.parse(line) as AuditLine);
    },
    jobs: () => ranJobs,
    heal(): void {
      armFailpoint(null);
      okta.fault = null;
      sendgrid.faults.clear();
    },
    async close(): Promise<void> {
      armFailpoint(null);
      spy.mockRestore();
      await closeClients();
      await Promise.all([okta.close(), sendgrid.close(), dropped(database)]);
    },
  };
}

/** PostgreSQL refuses while it happens to vacuum there. */
async function dropped(database: TestDatabase): Promise<void> {
  for (let attempt = 0; attempt < 20; attempt += 1) {
    try {
      return await database.drop();
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }
}
