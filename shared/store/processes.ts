import { sql } from 'kysely';
import type { Db } from './database.js';

const aliveSeconds = 30;

/** One running Sendoff process, so that the command line can tell whether anybody works. */
export interface ProcessInfo {
  id: string;
  role: string;
  host: string;
  pid: number;
}

export async function reportAlive(db: Db, { id, role, host, pid }: ProcessInfo): Promise<void> {
  await db
    .insertInto('process')
    .values({ id, role, host, pid })
    .onConflict((conflict) => conflict.column('id').doUpdateSet({ seen_at: sql<Date>`now()` }))
    .execute();
}

/** Removes this process, and whoever died without saying so. */
export async function reportGone(db: Db, id: string): Promise<void> {
  await db
    .deleteFrom('process')
    .where((eb) => eb.or([eb('id', '=', id), eb('seen_at', '<', sql<Date>`now() - interval '1 day'`)]))
    .execute();
}

/** Has a process that runs workers been seen in the last half minute? */
export async function isWorkerAlive(db: Db): Promise<boolean> {
  const row = await db
    .selectFrom('process')
    .select('id')
    .where('role', 'in', ['up', 'worker'])
    .where('seen_at', '>', sql<Date>`now() - make_interval(secs => ${aliveSeconds})`)
    .executeTakeFirst();
  return row !== undefined;
}
