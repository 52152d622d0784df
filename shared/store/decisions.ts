import { sql, type Transaction } from 'kysely';
import type { Db } from './database.js';
import type { Schema } from './schema.js';

type Tx = Transaction<Schema>;

export interface Decision {
  answer: 'approved' | 'rejected';
  by: string;
}

/** Keeps a human's answer to exactly this set of changes. @param expireMs null: until the facts change */
export async function recordDecision(
  tx: Tx,
  decision: Decision & {
    planId: string;
    personId: string;
    setHash: string;
    reason: string | null;
    expireMs: number | null;
  },
): Promise<void> {
  const { planId, personId, setHash, answer, by, reason, expireMs } = decision;
  await voidDecisions(tx, personId, { of: setHash });
  await tx
    .insertInto('decision')
    .values({
      plan_id: planId,
      person_id: personId,
      set_hash: setHash,
      answer,
      decided_by: by,
      reason,
      expires_at: expireMs === null ? null : sql<Date>`now() + make_interval(secs => ${expireMs / 1000})`,
    })
    .execute();
}

/** The answer that stands for exactly this set of changes to a person. */
export async function standingDecision(db: Db, personId: string, setHash: string): Promise<Decision | null> {
  const row = await db
    .selectFrom('decision')
    .select(['answer', 'decided_by'])
    .where('person_id', '=', personId)
    .where('set_hash', '=', setHash)
    .where('void_at', 'is', null)
    .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', sql<Date>`now()`)]))
    .orderBy('decided_at', 'desc')
    .executeTakeFirst();
  return row === undefined ? null : { answer: row.answer, by: row.decided_by };
}

/** Answers given to this person's plans no longer count: the facts they were about are others now. */
export async function voidDecisions(
  tx: Tx,
  personId: string,
  which: { of: string } | { except: string },
): Promise<void> {
  await tx
    .updateTable('decision')
    .set({ void_at: sql<Date>`now()` })
    .where('person_id', '=', personId)
    .where('void_at', 'is', null)
    .$if('of' in which, (qb) => qb.where('set_hash', '=', (which as { of: string }).of))
    .$if('except' in which, (qb) => qb.where('set_hash', '!=', (which as { except: string }).except))
    .execute();
}
