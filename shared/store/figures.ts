import { sql } from 'kysely';
import type { ActionState } from '#shared/lifecycle/types.js';
import type { Db } from './database.js';
import { countOpen, openStates } from './overview.js';
import { lastRun, type RunAccount, sinceLastRun } from './reconcile-runs.js';
import { type TaskState, taskStates } from './source-tasks.js';
import { subscriptionAges } from './subscriptions.js';

// What /metrics tells. Each question is answered from what is open or new; none reads the whole of history each time.

export interface Figures {
  events: Record<string, number>;
  plans: Record<string, number>;
  actions: { account: string; state: ActionState; count: number }[];
  oldestUnfinishedSeconds: number;
  accounts: AccountFigures[];
  /** What the last comparison that was believed found; none yet: []. */
  drift: RunAccount[];
  /** Since a comparison went through; null: none did. */
  comparedSecondsAgo: number | null;
  tasks: TaskState[];
  subscriptions: { source: string; kind: string; secondsLeft: number | null }[];
  audit: AuditFigures;
}

interface AccountFigures {
  account: string;
  breakerOpen: boolean;
  /** Of the tightest of its endpoints, what is left of the window, from 0 to 1. */
  paceLeft: number;
  /** Until its longest closed endpoint opens; 0: none is closed. */
  closedSeconds: number;
}

interface AuditFigures {
  unsequenced: number;
  /** Age of the oldest record that is not in the chain yet, and of the oldest in it that no checkpoint signs. */
  unsequencedSeconds: number;
  unsignedSeconds: number;
}

/** A backlog beyond this is counted no further. */
const countUpTo = 100_000;

/**
 * One question after the other: hooks need the connections more.
 * @param accounts those of the configuration: of others the tables may still know
 */
export async function readFigures(db: Db, accounts: readonly string[]): Promise<Figures> {
  const run = await lastRun(db);
  const sinceRunMs = await sinceLastRun(db);
  return {
    events: await countOpen(db, 'inbox'),
    plans: await countOpen(db, 'plan'),
    actions: await openActions(db),
    oldestUnfinishedSeconds: await oldestUnfinished(db),
    accounts: await readAccounts(db, accounts),
    drift: (run?.summary.accounts ?? []).filter(({ account }) => accounts.includes(account)),
    comparedSecondsAgo: sinceRunMs === null ? null : sinceRunMs / 1_000,
    tasks: await taskStates(db),
    subscriptions: await subscriptionAges(db),
    audit: await readAudit(db),
  };
}

async function openActions(db: Db): Promise<Figures['actions']> {
  const { rows } = await sql<Figures['actions'][number]>`
    select account, state, count(*)::int as count from action
    where state = any(${openStates.action}::text[]) group by account, state`.execute(db);
  return rows;
}

async function oldestUnfinished(db: Db): Promise<number> {
  // An order for a later day is not late.
  const { rows } = await sql<{ age: number }>`
    select coalesce(extract(epoch from now() - min(received_at)), 0)::float8 as age
    from inbox where due_at < now() + interval '1 hour'`.execute(db);
  return rows[0]?.age ?? 0;
}

/** As pace.ts reads its table: a window that is over binds nobody. */
async function readAccounts(db: Db, accounts: readonly string[]): Promise<AccountFigures[]> {
  const { rows } = await sql<AccountFigures>`
    select account.name as account, account.breaker_opened_at is not null as "breakerOpen",
      coalesce(min(greatest(pace.remaining, 0)::float8 / pace.quota) filter (where pace.quota > 0), 1) as "paceLeft",
      coalesce(max(extract(epoch from pace.reset_at - now())) filter (where pace.remaining <= 0), 0)::float8
        as "closedSeconds"
    from account left join pace on pace.account = account.name and pace.reset_at > now()
    where account.name = any(${[...accounts]}::text[])
    group by account.name order by account.name`.execute(db);
  return rows;
}

async function readAudit(db: Db): Promise<AuditFigures> {
  const { rows } = await sql<AuditFigures>`
    select
      (select count(*)::int from (select from audit_pending limit ${countUpTo}) as backlog) as unsequenced,
      coalesce((select extract(epoch from now() - at) from audit_entry
        where id = (select entry_id from audit_pending order by xid, entry_id limit 1)), 0)::float8
        as "unsequencedSeconds",
      coalesce((select extract(epoch from now() - at) from audit_entry
        where id = (select entry_id from audit_chain
          where seq = (select coalesce(max(size), 0) + 1 from audit_checkpoint))), 0)::float8
        as "unsignedSeconds"`.execute(db);
  return rows[0] ?? { unsequenced: 0, unsequencedSeconds: 0, unsignedSeconds: 0 };
}

/** Leavers settled in the last 30 days by how long it took: how many up to each bound and no lower one, and in all how long. */
export async function deprovisionBuckets(
  db: Db,
  bounds: readonly number[],
): Promise<{ count: number; seconds: number }[]> {
  const { rows } = await sql<{ count: number; seconds: number }>`
    select count(*)::int as count, sum(seconds)::float8 as seconds
    from (
      select extract(epoch from settled_at - heard_at)::float8 as seconds
      from plan where verdict = 'leaver' and settled_at > now() - interval '30 days'
    ) as settled
    group by width_bucket(seconds, ${[...bounds]}::float8[])`.execute(db);
  return rows;
}

export interface Outcome {
  account: string;
  outcome: ActionState;
  count: number;
}

/** An action that ended is seen by everybody after so long: no transaction takes longer. */
const seenAfterSeconds = 600;

/**
 * Counts how actions ended, since the beginning: all of the ledger the first time, and then only what is new.
 * Failed ones have not ended: they can be tried again, and are counted where they stand.
 */
export function countOutcomes(db: Db): () => Promise<Outcome[]> {
  const counted = new Map<string, Outcome>();
  let from = '-infinity';
  return async () => {
    const { rows } = await sql<Outcome & { settled: boolean; until: string }>`
      select account, state as outcome, finished_at <= edge.until as settled, edge.until::text as until,
        count(*)::int as count
      from action, (select now() - make_interval(secs => ${seenAfterSeconds}) as until) as edge
      where finished_at > ${from}::timestamptz and state in ('done', 'noop', 'refused', 'superseded')
      group by account, state, settled, edge.until`.execute(db);
    const fresh = new Map(counted);
    for (const { account, outcome, count, settled, until } of rows) {
      const key = `${account}\n${outcome}`;
      const add = (to: Map<string, Outcome>) =>
        to.set(key, { account, outcome, count: (to.get(key)?.count ?? 0) + count });
      add(fresh);
      if (settled) add(counted);
      from = until;
    }
    return [...fresh.values()];
  };
}
