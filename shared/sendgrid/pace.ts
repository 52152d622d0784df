import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import type { Db } from '#shared/store/database.js';
import { SendGridLimited } from './errors.js';
import { type Headers, jittered, longestWindowMs, type RateLimit, rateLimitIn, waitAfter429 } from './rate-limit.js';

/** So short a wait is slept; a longer one is the job's, which goes back to the queue. */
const sleepUpToMs = 300;
/** Longest wait after 429s that don't say how long. */
const longestBackoffMs = 60_000;

/** Keeps an account's calls inside SendGrid's limits, for all processes together: the window is mirrored in PostgreSQL. */
export interface Pace {
  /** Takes one call's place. @throws SendGridLimited when the window is used up; nothing was sent */
  acquire(account: string, endpoint: string): Promise<void>;
  /** Learns from an answer. @returns for how many ms a 429 closed the endpoint; 0 for any other answer */
  observe(account: string, endpoint: string, status: number, headers: Headers): Promise<number>;
}

/** X-RateLimit headers count per endpoint (sendgrid.md §2); so does the table. Times are the database's. */
export function createPace(db: Db): Pace {
  /** 429s in a row that did not say how long. */
  const unsaid = new Map<string, number>();

  return {
    async acquire(account, endpoint) {
      for (;;) {
        const waitMs = await take(db, account, endpoint);
        if (waitMs <= 0) return;
        if (waitMs > sleepUpToMs) {
          const message = `SendGrid ${account}: ${endpoint} is at its limit for ${Math.ceil(waitMs / 1_000)} s`;
          throw new SendGridLimited(message, jittered(waitMs), { code: 'SENDGRID_LIMITED', blame: 'remote' });
        }
        await sleep(waitMs + Math.random() * 20);
      }
    },
    async observe(account, endpoint, status, headers) {
      const limit = rateLimitIn(headers);
      const key = `${account} ${endpoint}`;
      if (status === 429) {
        const times = unsaid.get(key) ?? 0;
        const said = waitAfter429(headers);
        if (said === null) unsaid.set(key, times + 1);
        const waitMs = said ?? Math.min(1_000 * 2 ** times, longestBackoffMs);
        await close(db, account, endpoint, { waitMs, quota: limit?.quota ?? null });
        return waitMs;
      }
      unsaid.delete(key);
      if (limit !== null) await learn(db, account, endpoint, limit);
      return 0;
    },
  };
}

// What a row says: `quota` null: the limit is not known yet, every call goes and `remaining` counts them downwards from
// nothing. `reset_at` in the past: the next call opens a new window. When that one ends is known only after an answer;
// till then it is `unconfirmed`: short, and ending on half a second, where no window that SendGrid told of ever ends.
const unconfirmedEnd = sql`date_trunc('second', now()) + interval '1.5 s'`;
const isUnconfirmed = sql`coalesce(extract(microseconds from pace.reset_at)::int % 1000000 = 500000, true)`;
const isOver = sql`coalesce(pace.reset_at <= now(), true)`;

/** One statement: take a place in the window, or say for how many ms it stays closed. */
async function take(db: Db, account: string, endpoint: string): Promise<number> {
  const result = await sql<{ wait_ms: number }>`
    insert into pace (account, endpoint, remaining) values (${account}, ${endpoint}, -1)
    on conflict (account, endpoint) do update set
      remaining = case
        when pace.quota is null then case when ${isOver} then coalesce(pace.remaining, 0) - 1 else pace.remaining end
        when ${isOver} then pace.quota - 1
        else greatest(pace.remaining - 1, -1)
      end,
      reset_at = case when pace.quota is not null and ${isOver} then ${unconfirmedEnd} else pace.reset_at end
    returning case
      when reset_at > now() and (quota is null or remaining < 0) then extract(epoch from reset_at - now())::float8 * 1000
      else 0
    end as wait_ms`.execute(db);
  return result.rows[0]?.wait_ms ?? 0;
}

/**
 * Takes the server's figures where they matter. Inside a window the lower count wins: the server does not count what is
 * still on the way to it. An answer out of a window that is over tells nothing about the present one, and none reopens
 * what a 429 closed. A server whose clock differs from the database's by seconds is corrected by the time it tells.
 */
async function learn(db: Db, account: string, endpoint: string, limit: RateLimit): Promise<void> {
  const { quota, remaining, resetAt, serverNow } = limit;
  const skew = sql`coalesce(round(${serverNow}::float8 - extract(epoch from now())::float8), 0)`;
  await sql`
    update pace set
      quota = ${quota},
      remaining = case
        when pace.quota is null and not ${isOver} then 0
        when pace.quota is null then least(${quota} + coalesce(pace.remaining, 0), ${remaining})
        when not ${isUnconfirmed} and told.ends_at > pace.reset_at + interval '2 s' then ${remaining}
        else least(pace.remaining, ${remaining})
      end,
      reset_at = greatest(case when ${isUnconfirmed} then null else pace.reset_at end, told.ends_at)
    from (
      select least(
        to_timestamp(${resetAt}) - make_interval(secs => case when abs(${skew}) > 2 then ${skew} else 0 end),
        now() + make_interval(secs => ${longestWindowMs / 1_000})
      ) as ends_at
    ) as told
    where account = ${account} and endpoint = ${endpoint} and told.ends_at > now()
      and (pace.quota is distinct from ${quota} or pace.remaining is null or pace.remaining > ${remaining}
        or ${isUnconfirmed} or told.ends_at > pace.reset_at + interval '0.5 s')`.execute(db);
}

/** After a 429: nothing goes until then, whether the limit is known or not. */
async function close(
  db: Db,
  account: string,
  endpoint: string,
  { waitMs, quota }: { waitMs: number; quota: number | null },
): Promise<void> {
  await sql`
    update pace set
      quota = coalesce(${quota}, pace.quota),
      remaining = 0,
      reset_at = greatest(
        case when ${isUnconfirmed} then null else pace.reset_at end,
        now() + make_interval(secs => ${waitMs / 1_000})
      )
    where account = ${account} and endpoint = ${endpoint}`.execute(db);
}
