import { sql } from 'kysely';
import type { Db } from './database.js';

/** What pages show, as far as it changes by itself. */
export const changeKinds = [
  'events',
  'plans',
  'actions',
  'accounts',
  'reconciliations',
  'replays',
  'alerts',
  'audit',
] as const;
export type ChangeKind = (typeof changeKinds)[number];

export type Fingerprints = Record<ChangeKind, string>;

/**
 * One text for each kind that is another one after it changed. One statement of index look-ups: the newest row, how
 * many rows are open in each state, and the newest audit records, for whatever is decided or done leaves one.
 */
export async function readFingerprints(db: Db): Promise<Fingerprints> {
  const { rows } = await sql<Fingerprints>`
    select
      concat_ws(' ', (select max(seq) from inbox), ${openStates('inbox', ['received', 'queued', 'waiting', 'quarantined', 'dead'])}) as events,
      concat_ws(' ', (select max(seq) from plan), (select max(settled_at) from plan where verdict = 'leaver' and settled_at is not null),
        ${openStates('plan', ['planned', 'held', 'approved', 'applying', 'waiting'])}) as plans,
      concat_ws(' ', (select max(seq) from action),
        ${openStates('action', ['ready', 'executing', 'unknown', 'waiting', 'failed'])}) as actions,
      concat_ws(' ', (select string_agg(concat_ws(' ', name, breaker_opened_at), ',' order by name) from account),
        (select string_agg(concat_ws(' ', scope, stopped_at), ',' order by scope) from stop),
        (select max(read_at) from roster)) as accounts,
      concat_ws(' ', (select concat_ws(' ', seq, progress, finished_at) from reconcile_run order by seq desc limit 1),
        (select max(seq) from reconcile_request)) as reconciliations,
      concat_ws(' ', (select max(seq) from replay),
        (select string_agg(concat_ws(' ', seq, fed, done, aborted_by), ',' order by seq) from replay where finished_at is null)) as replays,
      (select concat_ws(' ', count(*), max(opened_at)) from alert where closed_at is null) as alerts,
      concat_ws(' ', (select md5(string_agg(id::text, '')) from (
          select id from audit_entry order by at desc, id desc limit 20) as newest),
        (select concat_ws(' ', id, finished_at) from audit_verification order by started_at desc limit 1)) as audit`.execute(
    db,
  );
  return rows[0] as Fingerprints;
}

function openStates(table: 'inbox' | 'plan' | 'action', states: string[]) {
  return sql`(select string_agg(concat_ws(' ', state, count), ',' order by state) from (
    select state, count(*) from ${sql.table(table)} where state = any(${states}::text[]) group by state) as open)`;
}
