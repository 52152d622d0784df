import type { Telemetry, WorkerOptions } from 'bullmq';

/** What both backends' workers are told (reliability.md §4.3). */
export function workerOptions(concurrency: number, telemetry: Telemetry | null): Omit<WorkerOptions, 'connection'> {
  return {
    ...(telemetry === null ? {} : { telemetry }),
    concurrency,
    lockDuration: 30_000,
    stalledInterval: 15_000,
    // The default of 1 fails a job after two deploys. What poisons a worker is bounded by the row's own attempts.
    maxStalledCount: 1_000,
    drainDelay: 5,
  };
}
