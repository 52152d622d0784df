import { setTimeout as sleep } from 'node:timers/promises';
import { failpoint } from '#shared/failpoint.js';
import type { Db } from '#shared/store/database.js';
import { type DueRow, findDue, leaveToQueue, makeDue, takeDue } from '#shared/store/work.js';
import { jobId, jobNames, jobs } from './jobs.js';
import type { JobQueue } from './queue.js';

/** Rows put on the queue in one go. */
const batch = 500;

export interface Relay {
  /** Looks for due rows soon: call it after a commit that made some. */
  nudge(): void;
  stop(): Promise<void>;
}

/**
 * Carries due rows from the database to the queue, and sweeps: a row whose job the queue lost is put on it again. The
 * only way onto the queue, run by every web and worker process; of several, each row is taken by one.
 * @param everyMs how often it looks unasked: what guarantees progress; a nudge only saves the wait
 */
export function startRelay({
  db,
  queue,
  everyMs,
  rest,
  onResult,
}: {
  db: Db;
  queue: JobQueue;
  everyMs: number;
  /** After a pass it rests so many times as long as the pass took: a flood of events is taken in first, queued later. */
  rest: number;
  /** Told after every pass: null, or what went wrong. */
  onResult(error: unknown): void;
}): Relay {
  let stopped = false;
  let asked = false;
  let running: Promise<void> | null = null;

  const run = async (): Promise<void> => {
    try {
      do {
        asked = false;
        const began = performance.now();
        if (await relayDue(db, queue)) asked = true;
        if (asked && rest > 0) await sleep((performance.now() - began) * rest);
      } while (asked && !stopped);
      onResult(null);
    } catch (error) {
      onResult(error);
    } finally {
      running = null;
    }
  };
  const nudge = (): void => {
    asked = true;
    if (!stopped) running ??= run();
  };
  const timer = setInterval(nudge, everyMs);
  nudge();

  return {
    nudge,
    async stop() {
      stopped = true;
      clearInterval(timer);
      await running;
    },
  };
}

/** One pass over all tables. @returns true when there may be more */
export async function relayDue(db: Db, queue: JobQueue): Promise<boolean> {
  let more = false;
  for (const name of jobNames) {
    const table = jobs[name].table;
    const due = await findDue(db, table, batch);
    if (due.length === 0) continue;
    more ||= due.length === batch;
    const alive = await stillQueued(queue, name, due);
    await leaveToQueue(db, table, [...alive]);
    const taken = await takeDue(
      db,
      table,
      due.filter((row) => !alive.has(row.id)),
    );
    try {
      await queue.add(
        taken.map(({ id, round, traceparent, since }) => ({
          name,
          id: jobId(name, id, round),
          payload: { id },
          trace: traceparent === null ? null : { traceparent, since },
        })),
      );
      if (taken.length > 0) failpoint('relay.after_add');
    } catch (error) {
      // The queue is away. The rows stay due; whatever it did take is harmless to run twice.
      await makeDue(
        db,
        table,
        taken.map((row) => row.id),
      );
      throw error;
    }
  }
  return more;
}

async function stillQueued(queue: JobQueue, name: (typeof jobNames)[number], due: DueRow[]): Promise<Set<string>> {
  const queuedBefore = due.filter((row) => row.round > 0);
  if (queuedBefore.length === 0) return new Set();
  const alive = await queue.alive(
    name,
    queuedBefore.map((row) => jobId(name, row.id, row.round)),
  );
  return new Set(queuedBefore.filter((row) => alive.has(jobId(name, row.id, row.round))).map((row) => row.id));
}
