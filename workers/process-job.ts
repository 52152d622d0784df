import { DelayedError, UnrecoverableError } from 'bullmq';
import { messageOf, PermanentError, WaitError } from '#shared/errors.js';
import { type JobName, jobs, longestBackoffMs } from '#shared/queue/jobs.js';
import type { WorkJob } from '#shared/queue/queue.js';
import { countAttempt, postpone } from '#shared/store/work.js';
import { inSpan, type TraceAttributes } from '#shared/telemetry/trace.js';
import type { WorkContext } from './context.js';

/** What a job does with its row. */
export interface Handler {
  run(context: WorkContext, rowId: string): Promise<void>;
  /** The row is given up: no attempt is left, or none can help. */
  giveUp(context: WorkContext, rowId: string, reason: string): Promise<void>;
}

/**
 * Runs any job and turns the class of an error into what the queue does next: wait without counting an attempt, stop,
 * or try again. The row is told first, because the queue may forget.
 */
export async function processJob(
  context: WorkContext,
  handlers: Record<JobName, Handler>,
  job: WorkJob,
  token: string | undefined,
): Promise<void> {
  const { table, payload } = jobs[job.name];
  const { id } = payload.parse(job.data);
  try {
    await inSpan(job.name, about(job.name, id), () => handlers[job.name].run(context, id));
  } catch (error) {
    const message = context.scrub(messageOf(error));
    if (error instanceof WaitError) {
      await postpone(context.db, table, id, error.delayMs, message);
      // BullMQ on PostgreSQL keeps times as whole numbers, and refuses others.
      await job.moveToDelayed(Math.ceil(Date.now() + error.delayMs), token);
      throw new DelayedError();
    }
    await countAttempt(context.db, table, id, message);
    const lastAttempt = job.attemptsMade + 1 >= (job.opts.attempts ?? 1);
    if (error instanceof PermanentError || lastAttempt) {
      await handlers[job.name].giveUp(context, id, message);
      throw new UnrecoverableError(message);
    }
    context.log.warn(
      { job: job.name, row: id, attempt: job.attemptsMade + 1, err: error },
      'a job failed and is tried again',
    );
    await postpone(context.db, table, id, longestBackoffMs, message);
    throw error;
  }
}

function about(name: JobName, rowId: string): TraceAttributes {
  const row = { inbox: 'sendoff.event', plan: 'sendoff.plan', action: 'sendoff.action' } as const;
  return { [row[jobs[name].table]]: rowId };
}
