import { sql } from 'kysely';
import { SendoffError } from '#shared/errors.js';
import type { Db } from '#shared/store/database.js';
import { appendAudit } from './append.js';
import { newestCheckpoint } from './checkpoint.js';
import { exportAudit } from './export.js';
import type { Signer } from './signing-key.js';
import { type VerifyResult, verifyExport } from './verify.js';

/** Whoever has verified for so long has died. */
const deadAfterMinutes = 60;

/** What is known of the trail without reading all of it. */
export interface TrailState {
  records: number;
  /** Written, and not yet in the chain. */
  unsequenced: number;
  checkpoint: { size: number; signedAt: string; publicKey: string } | null;
  /** When the trail last left the database. */
  exportedAt: string | null;
  verification: {
    state: 'running' | 'done';
    by: string;
    startedAt: string;
    finishedAt: string | null;
    result: VerifyResult | null;
  } | null;
}

export async function trailState(db: Db): Promise<TrailState> {
  const [{ rows: counts }, checkpoint, exported, verification] = await Promise.all([
    sql<{ records: string; unsequenced: number }>`select
      (select coalesce(max(seq), 0) from audit_chain) as records,
      (select count(*)::int from audit_pending) as unsequenced`.execute(db),
    db
      .selectFrom('audit_checkpoint')
      .select(['size', 'signed_at', 'public_key'])
      .orderBy('size', 'desc')
      .limit(1)
      .executeTakeFirst(),
    db
      .selectFrom('audit_entry')
      .select(({ fn }) => fn.max('at').as('at'))
      .where('kind', '=', 'audit.exported')
      .executeTakeFirst(),
    db.selectFrom('audit_verification').selectAll().orderBy('started_at', 'desc').limit(1).executeTakeFirst(),
  ]);
  return {
    records: Number(counts[0]?.records ?? 0),
    unsequenced: counts[0]?.unsequenced ?? 0,
    checkpoint:
      checkpoint === undefined
        ? null
        : {
            size: Number(checkpoint.size),
            signedAt: checkpoint.signed_at.toISOString(),
            publicKey: checkpoint.public_key,
          },
    exportedAt: exported?.at?.toISOString() ?? null,
    verification:
      verification === undefined
        ? null
        : {
            state: verification.finished_at === null ? 'running' : 'done',
            by: verification.started_by,
            startedAt: verification.started_at.toISOString(),
            finishedAt: verification.finished_at?.toISOString() ?? null,
            result: verification.result as VerifyResult | null,
          },
  };
}

/** Begins to verify, unless somebody is at it. @returns its id; null: one is under way */
export async function beginVerification(db: Db, by: string): Promise<string | null> {
  return db.transaction().execute(async (tx) => {
    await sql`select pg_advisory_xact_lock(hashtextextended('sendoff audit verification', 0))`.execute(tx);
    const other = await tx
      .selectFrom('audit_verification')
      .select('id')
      .where('finished_at', 'is', null)
      .where('started_at', '>', sql<Date>`now() - make_interval(mins => ${deadAfterMinutes})`)
      .executeTakeFirst();
    if (other !== undefined) return null;
    const { id } = await tx
      .insertInto('audit_verification')
      .values({ started_by: by, result: null })
      .returning('id')
      .executeTakeFirstOrThrow();
    return id;
  });
}

/** Reads the whole trail and keeps what came of it. */
export async function verifyTrail(
  db: Db,
  { id, by, signer }: { id: string; by: string; signer: Signer | null },
): Promise<void> {
  const result = await verified(db, signer).catch((error: unknown) => {
    if (!(error instanceof SendoffError)) throw error;
    return { ok: false as const, defect: 'malformed' as const, firstBadSeq: null, detail: error.message };
  });
  await db
    .updateTable('audit_verification')
    .set({ finished_at: sql<Date>`now()`, result: JSON.stringify(result) })
    .where('id', '=', id)
    .execute();
  await appendAudit(db, { kind: 'audit.verified', actor: by, detail: { ok: result.ok } });
}

async function verified(db: Db, signer: Signer | null): Promise<VerifyResult> {
  if (signer === null && (await newestCheckpoint(db)) === null) {
    return { ok: false, defect: 'empty', firstBadSeq: null, detail: 'no checkpoint was ever signed here' };
  }
  const lines = exportAudit(db, { format: 'jsonl', since: null, until: null, signer });
  return verifyExport(lines, signer?.publicKey ?? null);
}
