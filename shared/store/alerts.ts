import { sql } from 'kysely';
import type { Alert, AlertKind } from '#shared/alerts/alert.js';
import type { AlertFacts } from '#shared/alerts/conditions.js';
import type { Db } from './database.js';
import { unprovenReason } from './inbox.js';
import { proposedOrder } from './operator-events.js';
import { guardText } from './plans.js';

/** A message that is being sent holds its channel for so long: two workers must not tell the same thing. */
const sendingSeconds = 60;
/** Told at once, and listed. */
const perLook = 200;
/** Open at once, of each kind: what is not among them would seem to be over. */
const openAtMost = 10_000;
const longestWaitSeconds = 3_600;

/** Everything that alerts are made of. */
export async function readAlertFacts(
  db: Db,
  { sources, accounts }: { sources: readonly string[]; accounts: readonly string[] },
): Promise<AlertFacts> {
  const [held, unfinished, failed, breakers, tasks, silent, quarantined, subscriptions] = await Promise.all([
    db
      .selectFrom('plan')
      .innerJoin('person', 'person.id', 'plan.person_id')
      .select(['plan.id', 'plan.holds', 'plan.refused', 'person.emails'])
      .where('plan.state', '=', 'held')
      .orderBy('plan.seq', 'desc')
      .limit(openAtMost)
      .execute(),
    readUnfinished(db),
    db
      .selectFrom('action')
      .innerJoin('person', 'person.id', 'action.person_id')
      .select(['action.id', 'action.account', 'action.last_error', 'person.emails'])
      .where('action.state', '=', 'failed')
      .orderBy('action.seq', 'desc')
      .limit(openAtMost)
      .execute(),
    db
      .selectFrom('account')
      .select(['name', 'breaker_reason'])
      .where('breaker_opened_at', 'is not', null)
      .where('name', 'in', accounts)
      .execute(),
    db
      .selectFrom('source_task')
      .select(['source', 'task', 'failures', 'last_error'])
      .where('source', 'in', sources)
      .execute(),
    readSilent(db, sources),
    readQuarantined(db),
    db
      .selectFrom('subscription')
      .select(['id', 'source', 'kind', 'problem'])
      .select(sql<number | null>`extract(epoch from expires_at - now())::float8`.as('secondsLeft'))
      .where('source', 'in', sources)
      .execute(),
  ]);
  return {
    held: held.map(({ id, holds, refused, emails }) => ({
      plan: id,
      email: emails[0] ?? null,
      reasons: [...holds, ...refused].map(guardText),
    })),
    unfinished,
    failed: failed.map(({ id, account, last_error, emails }) => ({
      action: id,
      account,
      email: emails[0] ?? null,
      error: last_error,
    })),
    breakers: breakers.map(({ name, breaker_reason }) => ({ account: name, reason: breaker_reason ?? '' })),
    tasks: tasks.map(({ last_error, ...task }) => ({ ...task, error: last_error })),
    silent,
    quarantined,
    subscriptions,
  };
}

/** People who are to lose access and have not lost it, provably, by what was heard of them first. */
async function readUnfinished(db: Db): Promise<AlertFacts['unfinished']> {
  const { rows } = await sql<{ event: string; email: string | null; ageMs: number }>`
    select inbox.id as event, coalesce(person.emails[1], inbox.person_ref ->> 'email') as email,
      extract(epoch from now() - inbox.received_at)::float8 * 1000 as "ageMs"
    from (
      select id from inbox
      where due_at < now() + interval '1 hour' and type in ('terminated', 'suspended', 'unassigned')
        and reason is distinct from ${unprovenReason}
      union
      select event_id from plan
      where state in ('held', 'applying', 'waiting') and verdict in ('leaver', 'unassigned', 'suspended')
    ) as open
    join inbox on inbox.id = open.id
    left join person on person.id = inbox.person_id
    -- Of whom it was only proposed, nothing was promised.
    where inbox.sender_type is distinct from ${proposedOrder}
    order by inbox.received_at
    limit ${openAtMost}`.execute(db);
  return rows;
}

/** Sources that spoke once and have not for a week. */
async function readSilent(db: Db, sources: readonly string[]): Promise<AlertFacts['silent']> {
  const { rows } = await sql<{ source: string; days: number }>`
    select source, floor(extract(epoch from now() - last.received_at) / 86400)::int as days
    from unnest(${[...sources]}::text[]) as source
    join lateral (
      select received_at from inbox where inbox.source between source.source and source.source
      order by inbox.source desc, seq desc limit 1
    ) as last on true
    where last.received_at < now() - interval '7 days'`.execute(db);
  return rows;
}

async function readQuarantined(db: Db): Promise<AlertFacts['quarantined']> {
  const { rows } = await sql<{ source: string; count: number; reason: string }>`
    select source, count(*)::int as count, coalesce((array_agg(reason order by seq desc))[1], '') as reason
    from inbox where state = 'quarantined' and received_at > now() - interval '7 days'
    group by source order by source`.execute(db);
  return rows;
}

/** Opens what is new, closes what is no longer so. What is so again after it was closed is told again. */
export async function keepAlerts(db: Db, alerts: readonly Alert[]): Promise<void> {
  await db.transaction().execute(async (tx) => {
    await sql`select pg_advisory_xact_lock(7331003)`.execute(tx);
    await sql`
      insert into alert (key, kind, title, remedy)
      select * from unnest(${alerts.map((a) => a.key)}::text[], ${alerts.map((a) => a.kind)}::text[],
        ${alerts.map((a) => a.title)}::text[], ${alerts.map((a) => a.remedy)}::text[])
      on conflict (key) do update set title = excluded.title, remedy = excluded.remedy, closed_at = null,
        opened_at = case when alert.closed_at is null then alert.opened_at else now() end,
        times = case when alert.closed_at is null then alert.times else alert.times + 1 end`.execute(tx);
    await sql`
      update alert set closed_at = now()
      where closed_at is null and kind <> 'weekly' and key <> all (${alerts.map((a) => a.key)}::text[])`.execute(tx);
    await sql`delete from alert where closed_at < now() - interval '30 days'`.execute(tx);
  });
}

export interface OpenAlert extends Alert {
  openedAt: Date;
  /** How often it was so. */
  times: number;
}

export async function openAlerts(db: Db, limit = perLook): Promise<OpenAlert[]> {
  const rows = await db
    .selectFrom('alert')
    .selectAll()
    .where('closed_at', 'is', null)
    .orderBy('opened_at', 'desc')
    .limit(limit)
    .execute();
  return rows.map(({ key, kind, title, remedy, times, opened_at }) => {
    return { key, kind, title, remedy, times, openedAt: opened_at };
  });
}

/**
 * Takes what a channel has not been told yet, if its last message was long enough ago and nobody else is sending.
 * @returns [] when there is nothing to say now
 */
export async function takeUntold(
  db: Db,
  channel: string,
  kinds: readonly AlertKind[],
  digestMs: number,
): Promise<OpenAlert[]> {
  await db
    .insertInto('alert_channel')
    .values({ name: channel })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  return db.transaction().execute(async (tx) => {
    const { rows } = await sql<{ name: string }>`
      select name from alert_channel
      where name = ${channel}
        and coalesce(sending_until < now(), true)
        and coalesce(sent_at < now() - make_interval(secs => ${digestMs / 1_000}), true)
      for update skip locked`.execute(tx);
    if (rows.length === 0) return [];
    const untold = await sql<OpenAlert>`
      select alert.key, alert.kind, alert.title, alert.remedy, alert.times, alert.opened_at as "openedAt" from alert
      left join alert_delivery as told on told.channel = ${channel} and told.key = alert.key
        and told.times = alert.times
      where alert.closed_at is null and alert.kind = any(${[...kinds]}::text[]) and told.key is null
      order by alert.opened_at limit ${perLook}`.execute(tx);
    if (untold.rows.length === 0) return [];
    await tx
      .updateTable('alert_channel')
      .set({ sending_until: sql<Date>`now() + make_interval(secs => ${sendingSeconds})` })
      .where('name', '=', channel)
      .execute();
    return untold.rows;
  });
}

export async function markTold(db: Db, channel: string, alerts: readonly OpenAlert[]): Promise<void> {
  await db.transaction().execute(async (tx) => {
    await sql`
      insert into alert_delivery (channel, key, times)
      select ${channel}, * from unnest(${alerts.map((a) => a.key)}::text[], ${alerts.map((a) => a.times)}::int[])
      on conflict (channel, key) do update set times = excluded.times, sent_at = now()`.execute(tx);
    await tx
      .updateTable('alert_channel')
      .set({ sending_until: null, sent_at: sql<Date>`now()`, failures: 0, last_error: null })
      .where('name', '=', channel)
      .execute();
  });
}

/** It could not be told; it is tried again ever later, an hour at the most. */
export async function markUntold(db: Db, channel: string, error: string): Promise<void> {
  await db
    .updateTable('alert_channel')
    .set({
      failures: sql<number>`failures + 1`,
      last_error: error,
      sending_until: sql<Date>`now() + make_interval(secs => least(15 * power(2, least(failures, 10)), ${longestWaitSeconds}))`,
    })
    .where('name', '=', channel)
    .execute();
}

/** Whether each channel that was ever to be told something could be. */
export async function channelStates(
  db: Db,
): Promise<Map<string, { sentAt: Date | null; failures: number; lastError: string | null }>> {
  const rows = await db.selectFrom('alert_channel').selectAll().execute();
  return new Map(
    rows.map(({ name, sent_at, failures, last_error }) => [name, { sentAt: sent_at, failures, lastError: last_error }]),
  );
}

/** What happened in the last seven days, in numbers. */
export async function weekInNumbers(
  db: Db,
): Promise<{ leavers: number; removed: number; held: number; failed: number }> {
  const { rows } = await sql<{ leavers: number; removed: number; held: number; failed: number }>`
    select
      (select count(distinct person_id)::int from plan
        where verdict = 'leaver' and state = 'settled' and settled_at > now() - interval '7 days') as leavers,
      (select count(*)::int from action
        where state = 'done' and kind = 'deprovision' and finished_at > now() - interval '7 days') as removed,
      (select count(*)::int from plan where state = 'held') as held,
      (select count(*)::int from action where state = 'failed') as failed`.execute(db);
  const [row] = rows;
  return row ?? { leavers: 0, removed: 0, held: 0, failed: 0 };
}

/** Puts up the week's summary, once. @param week such as `2026-W48` */
export async function putWeekly(db: Db, week: string, title: string): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const row = { key: `weekly:${week}`, kind: 'weekly' as const, title, remedy: '' };
    const made = await tx
      .insertInto('alert')
      .values(row)
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirst();
    if (made.numInsertedOrUpdatedRows === 0n) return;
    await tx
      .updateTable('alert')
      .set({ closed_at: sql<Date>`now()` })
      .where('kind', '=', 'weekly')
      .where('key', '<>', row.key)
      .where('closed_at', 'is', null)
      .execute();
  });
}
