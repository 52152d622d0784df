import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { JobQueue } from '#shared/queue/queue.js';
import type { Db } from '#shared/store/database.js';
import { countOutcomes, deprovisionBuckets, type Figures, readFigures } from '#shared/store/figures.js';

/** Upper bounds in seconds around the promises: 2 s idle, the 15 min of `sla.deprovision`, and what no one wants. */
const bounds = [1, 2, 5, 10, 30, 60, 300, 900, 3_600, 14_400, 86_400];
/** However often, and by however many, metrics are asked for. */
const readEveryMs = 5_000;
const readHistoryEveryMs = 30_000;

export interface Metrics {
  contentType: string;
  read(): Promise<string>;
  deliveries: Counter<'source' | 'status'>;
  refused: Counter<'source'>;
}

/**
 * Reads the figures that the database holds, so that every web process tells the same whatever the workers run on.
 * Labels are names from the configuration and states: no person, no id (docs/observability.md lists them all).
 * @param accounts those of the configuration
 */
export function createMetrics(db: Db, queue: JobQueue, accounts: readonly string[]): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const figures = remembered(() => readFigures(db, accounts), readEveryMs);

  const gauge = <L extends string>(
    name: string,
    help: string,
    labels: L[],
    fill: (gauge: Gauge<L>, figures: Figures) => void,
  ) =>
    new Gauge<L>({
      name,
      help,
      labelNames: labels,
      registers,
      async collect() {
        const now = await figures();
        this.reset();
        fill(this, now);
      },
    });

  gauge('sendoff_events', 'Inbox rows that are not finished, by state', ['state'], (g, { events }) => {
    for (const [state, count] of Object.entries(events)) g.set({ state }, count);
  });
  gauge('sendoff_plans', 'Plans that are not finished, by state', ['state'], (g, { plans }) => {
    for (const [state, count] of Object.entries(plans)) g.set({ state }, count);
  });
  gauge('sendoff_actions', 'Actions that have not ended, by state', ['account', 'state'], (g, { actions }) => {
    for (const { account, state, count } of actions) g.set({ account, state }, count);
  });
  gauge(
    'sendoff_oldest_unfinished_seconds',
    'Age of the oldest event that is neither finished nor given up',
    [],
    (g, { oldestUnfinishedSeconds }) => g.set(oldestUnfinishedSeconds),
  );
  addSources(gauge);
  addAccounts(gauge);
  addAudit(gauge);
  registry.registerMetric(queueDepth(queue));
  registry.registerMetric(outcomes(db));
  registry.registerMetric(timeToDeprovision(db));

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

type AddGauge = <L extends string>(
  name: string,
  help: string,
  labels: L[],
  fill: (gauge: Gauge<L>, figures: Figures) => void,
) => void;

function addSources(gauge: AddGauge): void {
  gauge(
    'sendoff_source_task_failures',
    'Times in a row that a source could not be asked',
    ['source', 'task'],
    (g, { tasks }) => {
      for (const { source, task, failures } of tasks) g.set({ source, task }, failures);
    },
  );
  gauge(
    'sendoff_source_task_age_seconds',
    'Since a source was last asked with success',
    ['source', 'task'],
    (g, { tasks }) => {
      for (const { source, task, lastOkAt } of tasks)
        if (lastOkAt !== null) g.set({ source, task }, (Date.now() - lastOkAt.getTime()) / 1_000);
    },
  );
  gauge(
    'sendoff_subscription_expires_seconds',
    'Until the first subscription of a kind ends; negative when it is over',
    ['source', 'kind'],
    (g, { subscriptions }) => {
      const ending = subscriptions.flatMap(({ secondsLeft, ...of }) =>
        secondsLeft === null ? [] : { ...of, secondsLeft },
      );
      // The first to end is set last.
      for (const { source, kind, secondsLeft } of ending.sort((a, b) => b.secondsLeft - a.secondsLeft))
        g.set({ source, kind }, secondsLeft);
    },
  );
}

function addAccounts(gauge: AddGauge): void {
  gauge('sendoff_account_breaker_open', '1 while SendGrid refuses the key of the account', ['account'], (g, now) => {
    for (const { account, breakerOpen } of now.accounts) g.set({ account }, breakerOpen ? 1 : 0);
  });
  gauge(
    'sendoff_account_pace_left_ratio',
    'What SendGrid’s limits leave of the present window at the tightest endpoint, from 0 to 1',
    ['account'],
    (g, now) => {
      for (const { account, paceLeft } of now.accounts) g.set({ account }, paceLeft);
    },
  );
  gauge(
    'sendoff_account_pace_closed_seconds',
    'Until the endpoint that is closed longest by SendGrid’s limits opens; 0 when none is closed',
    ['account'],
    (g, now) => {
      for (const { account, closedSeconds } of now.accounts) g.set({ account }, closedSeconds);
    },
  );
  gauge('sendoff_account_drift', 'Differences that the last reconciliation found', ['account'], (g, { drift }) => {
    for (const one of drift) g.set({ account: one.account }, one.drift);
  });
  gauge(
    'sendoff_account_incomplete',
    '1 when the last reconciliation could not read or believe the account’s roster',
    ['account'],
    (g, { drift }) => {
      for (const { account, complete } of drift) g.set({ account }, complete ? 0 : 1);
    },
  );
  gauge(
    'sendoff_reconciliation_age_seconds',
    'Since a reconciliation went through',
    [],
    (g, { comparedSecondsAgo }) => {
      if (comparedSecondsAgo !== null) g.set(comparedSecondsAgo);
    },
  );
}

function addAudit(gauge: AddGauge): void {
  gauge('sendoff_audit_unsequenced', 'Audit records not yet part of the chain', [], (g, { audit }) =>
    g.set(audit.unsequenced),
  );
  gauge(
    'sendoff_audit_lag_seconds',
    'Age of the oldest audit record that is not yet chained, or not yet signed',
    ['until'],
    (g, { audit }) => {
      g.set({ until: 'chained' }, audit.unsequencedSeconds);
      g.set({ until: 'signed' }, audit.unsignedSeconds);
    },
  );
}

function queueDepth(queue: JobQueue): Gauge {
  return new Gauge({
    name: 'sendoff_queue_jobs',
    help: 'Jobs on the queue by queue and state',
    labelNames: ['queue', 'state'],
    registers: [],
    async collect() {
      const counts = await Promise.all(
        queue.queues.map(async (one) => {
          const states = await one.getJobCounts('waiting', 'active', 'delayed', 'failed').catch(() => ({}));
          return Object.entries(states).map(([state, count]) => ({ queue: one.name, state, count }));
        }),
      );
      this.reset();
      for (const { count, ...labels } of counts.flat()) this.set(labels, count);
    },
  });
}

function outcomes(db: Db): Counter {
  const count = remembered(countOutcomes(db), readEveryMs);
  return new Counter({
    name: 'sendoff_actions_finished_total',
    help: 'Actions that ended, by outcome: done, noop, refused, superseded',
    labelNames: ['account', 'outcome'],
    registers: [],
    async collect() {
      const now = await count();
      this.reset();
      for (const { account, outcome, count: ended } of now) this.inc({ account, outcome }, ended);
    },
  });
}

/** From received to proven: the promise the operator is measured on. Counted from settled plans of leavers. */
function timeToDeprovision(db: Db): Histogram {
  const buckets = remembered(() => deprovisionBuckets(db, bounds), readHistoryEveryMs);
  return new Histogram({
    name: 'sendoff_time_to_deprovision_seconds',
    help: 'From the event received to nothing of the person left, for leavers of the last 30 days',
    buckets: bounds,
    registers: [],
    async collect() {
      const now = await buckets();
      this.reset();
      // The mean lies within its bucket, and the sum comes out right.
      for (const { count, seconds } of now) for (let n = 0; n < count; n += 1) this.observe(seconds / count);
    },
  });
}

/** One reading serves all gauges of a scrape, and all scrapes of a while. */
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
