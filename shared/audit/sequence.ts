import { sql, type Transaction } from 'kysely';
import type { Db } from '#shared/store/database.js';
import type { Schema } from '#shared/store/schema.js';
import { chainHash, leafHash, zeroHash } from './hashes.js';

/** Entries put into the chain in one transaction. */
const batch = 5_000;
/** Names the lock that lets one process at a time touch the chain. */
const lockKey = 7_331_001;

/** The records placed, both ends included; `to` is the chain's length. None were when `to < from`. */
export interface Placed {
  from: number;
  to: number;
}

/**
 * Gives every settled record its place in the chain, one process at a time. A record waits until no transaction that
 * began before its own is still open: otherwise a slow one would have to be put into the past.
 * @returns what was placed; nothing also when another process is at it
 */
export async function sequenceAudit(db: Db): Promise<Placed> {
  let from: number | null = null;
  for (;;) {
    const { head, placed } = await db.transaction().execute(async (tx) => {
      const locked = await lockChain(tx, false);
      const before = await headOf(tx);
      return locked ? placeBatch(tx, before) : { head: before.seq, placed: 0 };
    });
    from ??= head - placed + 1;
    if (placed < batch) return { from, to: head };
  }
}

/** @param wait for whoever holds it, instead of giving up. @returns false when somebody else holds it */
export async function lockChain(tx: Transaction<Schema>, wait: boolean): Promise<boolean> {
  if (wait) {
    await sql`set local lock_timeout = '10s'`.execute(tx);
    await sql`select pg_advisory_xact_lock(${lockKey})`.execute(tx);
    return true;
  }
  const result = await sql<{ locked: boolean }>`select pg_try_advisory_xact_lock(${lockKey}) as locked`.execute(tx);
  return result.rows[0]?.locked ?? false;
}

async function headOf(tx: Transaction<Schema>): Promise<{ seq: number; hash: Buffer }> {
  const row = await tx
    .selectFrom('audit_chain')
    .select(['seq', 'hash'])
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row === undefined ? { seq: 0, hash: zeroHash } : { seq: Number(row.seq), hash: row.hash };
}

async function placeBatch(tx: Transaction<Schema>, head: { seq: number; hash: Buffer }) {
  const settled = await settledEntries(tx);
  let { seq, hash } = head;
  const links = settled.map(({ id, canonical }) => {
    const leaf = leafHash(canonical);
    hash = chainHash(hash, leaf);
    seq += 1;
    return { seq, id, leaf, hash };
  });
  if (links.length > 0) {
    await sql`
      insert into audit_chain (seq, entry_id, leaf, hash)
      select * from unnest(${links.map((l) => l.seq)}::bigint[], ${links.map((l) => l.id)}::uuid[],
        ${links.map((l) => l.leaf)}::bytea[], ${links.map((l) => l.hash)}::bytea[])`.execute(tx);
    await sql`
      delete from audit_pending where (xid, entry_id) in (
        select * from unnest(${settled.map((s) => s.xid)}::xid8[], ${settled.map((s) => s.id)}::uuid[]))`.execute(tx);
  }
  return { head: seq, placed: links.length };
}

/**
 * The oldest pending entries whose transactions lie before every open one. A transaction of the future is one of
 * another server: the table was restored from a dump, and what can be seen of it is committed.
 */
async function settledEntries(tx: Transaction<Schema>): Promise<{ xid: string; id: string; canonical: string }[]> {
  const due = await sql<{ xid: string; id: string }>`
    select xid::text, entry_id as id from audit_pending
    where xid < pg_snapshot_xmin(pg_current_snapshot()) or xid >= pg_snapshot_xmax(pg_current_snapshot())
    order by audit_pending.xid, entry_id limit ${batch}`.execute(tx);
  if (due.rows.length === 0) return [];
  // By key, in a statement of its own: joined, the planner might read the whole log to find the backlog's entries.
  const entries = await sql<{ id: string; canonical: string }>`
    select id, canonical from audit_entry where id = any(${due.rows.map((row) => row.id)}::uuid[])
    order by at, id`.execute(tx);
  const xids = new Map(due.rows.map(({ id, xid }) => [id, xid]));
  return entries.rows.map((entry) => ({ ...entry, xid: xids.get(entry.id) ?? '' }));
}
