import type { JobsOptions } from 'bullmq';
import { z } from 'zod';
import type { WorkTable } from '#shared/store/work.js';

// The job catalogue. Payloads hold one id: the queue may be lost or read by others, the database is the record.

export const queueNames = ['lifecycle', 'actions'] as const;
export type QueueName = (typeof queueNames)[number];

/** The id of the row that the job is about. */
const payload = z.strictObject({ id: z.uuid() });

export interface JobDefinition {
  queue: QueueName;
  /** The table whose rows become this job. */
  table: WorkTable;
  payload: typeof payload;
}

export const jobs = {
  'plan-person': { queue: 'lifecycle', table: 'inbox', payload },
  'settle-person': { queue: 'lifecycle', table: 'plan', payload },
  'execute-action': { queue: 'actions', table: 'action', payload },
} as const satisfies Record<string, JobDefinition>;

export type JobName = keyof typeof jobs;
export type JobPayload = z.infer<typeof payload>;

export const jobNames = Object.keys(jobs) as JobName[];

/** Unexpected failures are tried eight times over some minutes; what merely waits counts no attempt (reliability.md §4.3). */
export const jobOptions: JobsOptions = {
  attempts: 8,
  backoff: { type: 'exponential', delay: 2_000, jitter: 0.5 },
  removeOnComplete: { age: 24 * 3600, count: 5_000 },
  removeOnFail: { age: 14 * 24 * 3600 },
};

/** The longest wait between two attempts under `jobOptions`. */
export const longestBackoffMs = 2_000 * 2 ** 7;

/**
 * A job's id on the queue. A retained failed job swallows a new one of its id without a word (reliability.md §1.4), so
 * every round has its own.
 */
export function jobId(name: JobName, rowId: string, round: number): string {
  return `${name}-${rowId}-r${round}`;
}
