import { sql } from 'kysely';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { JobQueue } from '#shared/queue/queue.js';
import type { Db } from '#shared/store/database.js';
import { finishedStates, openStates } from '#shared/store/overview.js';
import { type TaskState, taskStates } from '#shared/store/source-tasks.js';
import { subscriptionAges } from '#shared/store/subscriptions.js';

/** Upper bounds in seconds around the promises: 2 s idle, the 15 min of `sla.deprovision`, and what no one wants. */
const deprovisionBuckets = [1, 2, 5, 10, 30, 60, 300, 900, 3_600, 14_400, 86_400];
const readEveryMs = 5_000;
/** What is finished is the whole of history, which takes longer to count and changes slowly. */
const historyEveryMs = 60_000;

export interface Metrics {
  contentType: string;
  read(): Promise<string>;
  deliveries: Counter<'source' | 'status'>;
  refused: Counter<'source'>;
}

/** Reads the figures that the database holds, so that every web process tells the same whatever the workers run on. */
export function createMetrics(db: Db, queue: JobQueue): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const facts = remembered(() => readFacts(db), readEveryMs);
  const history = remembered(() => readHistory(db), historyEveryMs);

  const gauge = <L extends string>(name: string, help: string, labels: L[], fill: (gauge: Gauge<L>) => Promise<void>) =>
    new Gauge<L>({
      name,
      help,
      labelNames: labels,
      registers,
      async collect() {
        this.reset();
        await fill(this);
      },
    });
  gauge('sendoff_events', 'Inbox rows by state', ['state'], async (g) => {
    for (const { state, count } of [...(await facts()).events, ...(await history()).events]) g.set({ state }, count);
  });
  gauge('sendoff_plans', 'Plans by state', ['state'], async (g) => {
    for (const { state, count } of [...(await facts()).plans, ...(await history()).plans]) g.set({ state }, count);
  });
  gauge('sendoff_actions', 'Actions by account and state', ['account', 'state'], async (g) => {
    for (const { account, state, count } of [...(await facts()).actions, ...(await history()).actions])
      g.set({ account, state }, count);
  });
  gauge(
    'sendoff_oldest_unfinished_seconds',
    'Age of the oldest event that is neither finished nor given up',
    [],
    async (g) => g.set((await facts()).oldestUnfinishedSeconds),
  );
  gauge(
    'sendoff_source_task_failures',
    'Times in a row that a source could not be asked',
    ['source', 'task'],
    async (g) => {
      for (const { source, task, failures } of (await facts()).tasks) g.set({ source, task }, failures);
    },
  );
  gauge(
    'sendoff_source_task_age_seconds',
    'Since a source was last asked with success',
    ['source', 'task'],
    async (g) => {
      const now = Date.now();
      for (const { source, task, lastOkAt } of (await facts()).tasks)
        if (lastOkAt !== null) g.set({ source, task }, (now - lastOkAt.getTime()) / 1_000);
    },
  );
  gauge(
    'sendoff_subscription_expires_seconds',
    'Until a subscription ends; negative when it is over',
    ['source', 'kind'],
    async (g) => {
      for (const { source, kind, secondsLeft } of (await facts()).subscriptions)
        if (secondsLeft !== null) g.set({ source, kind }, secondsLeft);
    },
  );
  gauge('sendoff_audit_unsequenced', 'Audit records not yet part of the chain', [], async (g) =>
    g.set((await facts()).unsequenced),
  );
  gauge('sendoff_account_breaker_open', '1 while SendGrid refuses the key of the account', ['account'], async (g) => {
    for (const { account, open } of (await facts()).breakers) g.set({ account }, open ? 1 : 0);
  });
  gauge('sendoff_queue_jobs', 'Jobs on the queue by queue and state', ['queue', 'state'], async (g) => {
    for (const one of queue.queues) {
      const counts = await one.getJobCounts('waiting', 'active', 'delayed', 'failed').catch(() => ({}));
      for (const [state, count] of Object.entries(counts)) g.set({ queue: one.name, state }, count);
    }
  });
  registry.registerMetric(deprovisionHistogram(history));

  return {
    contentType: registry.contentType,
    read: () => registry.metrics(),
    deliveries: new Counter({
      name: 'sendoff_deliveries_total',
      help: 'Deliveries answered, by status',
      labelNames: ['source', 'status'],
      registers,
    }),
    refused: new Counter({
      name: 'sendoff_deliveries_refused_total',
      help: 'Deliveries with a wrong secret or an unknown source; they leave no row',
      labelNames: ['source'],
      registers,
    }),
  };
}

interface Counts {
  events: { state: string; count: number }[];
  plans: { state: string; count: number }[];
  actions: { account: string; state: string; count: number }[];
}

interface Facts extends Counts {
  breakers: { account: string; open: boolean }[];
  tasks: TaskState[];
  subscriptions: { source: string; kind: string; secondsLeft: number | null }[];
  oldestUnfinishedSeconds: number;
  unsequenced: number;
}

async function readFacts(db: Db): Promise<Facts> {
  const [counts, breakers, oldest, unsequenced] = await Promise.all([
    countStates(db, openStates),
    db
      .selectFrom('account')
      .select(['name as account', sql<boolean>`breaker_opened_at is not null`.as('open')])
      .execute(),
    db
      .selectFrom('inbox')
      .select(sql<number>`coalesce(extract(epoch from now() - min(received_at)), 0)::float8`.as('age'))
      // An order for a later day is not late.
      .where('due_at', '<', sql<Date>`now() + interval '1 hour'`)
      .executeTakeFirstOrThrow(),
    db.selectFrom('audit_pending').select(count).executeTakeFirstOrThrow(),
  ]);
  return {
    ...counts,
    breakers,
    tasks: await taskStates(db),
    subscriptions: await subscriptionAges(db),
    oldestUnfinishedSeconds: oldest.age,
    unsequenced: unsequenced.count,
  };
}

const count = sql<number>`count(*)::int`.as('count');

async function countStates(db: Db, states: typeof openStates): Promise<Counts> {
  const [events, plans, actions] = await Promise.all([
    db.selectFrom('inbox').select(['state', count]).where('state', 'in', states.inbox).groupBy('state').execute(),
    db.selectFrom('plan').select(['state', count]).where('state', 'in', states.plan).groupBy('state').execute(),
    db
      .selectFrom('action')
      .select(['account', 'state', count])
      .where('state', 'in', states.action)
      .groupBy(['account', 'state'])
      .execute(),
  ]);
  return { events, plans, actions };
}

interface History extends Counts {
  /** From received to proven, of leavers of the last 30 days: the promise the operator is measured on. */
  deprovisionSeconds: number[];
}

async function readHistory(db: Db): Promise<History> {
  const [counts, settled] = await Promise.all([
    countStates(db, finishedStates),
    db
      .selectFrom('plan')
      .select(sql<number>`extract(epoch from settled_at - heard_at)::float8`.as('seconds'))
      .where('verdict', '=', 'leaver')
      .where('settled_at', '>', sql<Date>`now() - interval '30 days'`)
      .limit(100_000)
      .execute(),
  ]);
  return { ...counts, deprovisionSeconds: settled.map(({ seconds }) => seconds) };
}

function deprovisionHistogram(history: () => Promise<History>): Histogram {
  return new Histogram({
    name: 'sendoff_time_to_deprovision_seconds',
    help: 'From the event received to nothing of the person left, for leavers',
    buckets: deprovisionBuckets,
    registers: [],
    async collect() {
      this.reset();
      for (const seconds of (await history()).deprovisionSeconds) this.observe(seconds);
    },
  });
}

/** One reading serves all gauges of a scrape. */
function remembered<T>(read: () => Promise<T>, forMs: number): () => Promise<T> {
  let at = 0;
  let last: Promise<T> | null = null;
  return () => {
    if (last === null || Date.now() - at > forMs) {
      at = Date.now();
      last = read();
      last.catch(() => {
        last = null;
      });
    }
    return last;
  };
}
