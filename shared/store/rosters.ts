import { sql } from 'kysely';
import type { Db } from './database.js';
import type { RosterTable } from './schema.js';
import { together } from './together.js';

export type RosterPart = RosterTable['part'];

/**
 * How many readings may be made at once, and how soon there may be one more. With few people leaving nobody waits; once
 * an account has a backlog of actions, lists are shared by whole groups of leavers and the calls left to the actions.
 */
const allowance = { atOnce: 4, calmSeconds: 0.25, busySeconds: 10, busyAbove: 10 };
const leaseSeconds = 60;

export interface StoredPart {
  items: unknown;
  readAt: Date;
}

/** The part as last read, not to be changed; null when it never was. */
export function storedPart(db: Db, account: string, part: RosterPart): Promise<StoredPart | null> {
  return loadPart(db, { account, part });
}

/** Parts as this process knows them: only those that were read anew since are fetched and parsed again. */
const known = new WeakMap<Db, Map<string, StoredPart & { version: string }>>();

const loadPart = together(
  async (db: Db, asked: { account: string; part: RosterPart }[]): Promise<(StoredPart | null)[]> => {
    const mine = known.get(db) ?? new Map<string, StoredPart & { version: string }>();
    known.set(db, mine);
    const keys = asked.map(({ account, part }) => `${account} ${part}`);
    const unique = [...new Map(asked.map((one, index) => [keys[index] ?? '', one])).entries()];
    const { rows } = await sql<{ account: string; part: string; read_at: Date; version: string; items: unknown }>`
    select account, part, read_at, read_at::text as version,
      case when read_at::text is distinct from asked.version then items end as items
    from roster join unnest(
      ${unique.map(([, one]) => one.account)}::text[], ${unique.map(([, one]) => one.part)}::text[],
      ${unique.map(([key]) => mine.get(key)?.version ?? null)}::text[]
    ) as asked (account, part, version) using (account, part)
    where read_at is not null`.execute(db);
    const found = new Map<string, StoredPart & { version: string }>();
    for (const { account, part, read_at: readAt, version, items } of rows) {
      const key = `${account} ${part}`;
      const same = mine.get(key);
      const stored = same?.version === version ? same : { version, readAt, items };
      found.set(key, stored);
      mine.set(key, stored);
    }
    return keys.map((key) => found.get(key) ?? null);
  },
);

export type ReadingTurn =
  | { kind: 'yours'; startedAt: string }
  /** Somebody else is reading right now. */
  | { kind: 'under-way' }
  /** It was read too often a moment ago. */
  | { kind: 'too-soon'; waitMs: number };

/**
 * Asks for the one place from which a part is read, over all processes. Times are the database's.
 * @param urgent an operator is waiting: whatever was read a moment ago, it may be read again
 */
export async function takeReading(db: Db, account: string, part: RosterPart, urgent: boolean): Promise<ReadingTurn> {
  const { atOnce, calmSeconds, busySeconds, busyAbove } = allowance;
  const everySeconds = sql<number>`(case when (
      select count(*) from action where action.account = roster.account and action.state in ('ready', 'executing', 'unknown')
    ) > ${busyAbove} then ${busySeconds}::float8 else ${calmSeconds}::float8 end)`;
  const tokens = sql<number>`least(${atOnce}::float8, coalesce(tokens, ${atOnce}) +
    coalesce(extract(epoch from now() - tokens_at)::float8, 0) / ${everySeconds})`;
  await sql`insert into roster (account, part) values (${account}, ${part}) on conflict do nothing`.execute(db);
  const taken = await sql<{ started_at: string }>`
    update roster set reading_until = now() + make_interval(secs => ${leaseSeconds}), tokens = greatest(0, ${tokens} - 1), tokens_at = now()
    where account = ${account} and part = ${part}
      and (reading_until is null or reading_until < now()) and (${urgent} or ${tokens} >= 1)
    returning clock_timestamp()::text as started_at`.execute(db);
  const started = taken.rows[0];
  if (started !== undefined) return { kind: 'yours', startedAt: started.started_at };
  const state = await sql<{ reading: boolean; wait_ms: number }>`
    select reading_until is not null and reading_until >= now() as reading, (1 - ${tokens}) * ${everySeconds} * 1000 as wait_ms
    from roster where account = ${account} and part = ${part}`.execute(db);
  const { reading = true, wait_ms = 0 } = state.rows[0] ?? {};
  return reading ? { kind: 'under-way' } : { kind: 'too-soon', waitMs: Math.max(50, wait_ms) };
}

/** Stores what was read. @param startedAt from `takeReading`: the list shows what was true from then on at the earliest */
export async function storeReading(
  db: Db,
  account: string,
  part: RosterPart,
  startedAt: string,
  items: unknown,
): Promise<void> {
  await sql`
    update roster set items = ${JSON.stringify(items)}::jsonb, read_at = ${startedAt}::timestamptz, reading_until = null
    where account = ${account} and part = ${part} and (read_at is null or read_at < ${startedAt}::timestamptz)`.execute(
    db,
  );
}

/** Gives the place back after a reading that failed: what was stored before stays. */
export async function abandonReading(db: Db, account: string, part: RosterPart): Promise<void> {
  await sql`update roster set reading_until = null where account = ${account} and part = ${part}`.execute(db);
}

/** Teammates whom Sendoff itself has removed since then, or is removing: they are missing from a list for a good reason. */
export async function removedSince(db: Db, account: string, since: Date): Promise<Set<string>> {
  const rows = await db
    .selectFrom('action')
    .select('target')
    .where('account', '=', account)
    .where('kind', 'in', ['deprovision', 'retire'])
    .where('footprint', '=', 'teammate')
    .where((eb) =>
      eb.or([
        eb('state', 'in', ['executing', 'unknown']),
        eb.and([eb('state', '=', 'done'), eb('finished_at', '>=', since)]),
      ]),
    )
    .execute();
  return new Set(rows.map((row) => row.target));
}
