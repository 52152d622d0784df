import type { Job, JobsOptions, Processor, Queue, Worker } from 'bullmq';
import type { Witness } from '#shared/store/witness.js';
import { type JobName, type JobPayload, jobOptions, jobs, type QueueName, queueNames } from './jobs.js';

export type WorkQueue = Queue<JobPayload, void, JobName>;
export type WorkWorker = Worker<JobPayload, void, JobName>;
export type WorkJob = Job<JobPayload, void, JobName>;

/** What the two backends have in common; everything else about them is their own business. */
export interface QueueBackend {
  readonly kind: 'redis' | 'postgres';
  /** For producers and the dashboard: fails fast when the backend is away. */
  openQueue(name: QueueName): WorkQueue;
  /** For workers: waits for the backend as long as it takes. */
  openWorker(name: QueueName, processor: Processor<JobPayload, void, JobName>, concurrency: number): WorkWorker;
  /**
   * Makes the backend fit for work: waits until it answers, then checks or migrates it.
   * @throws SendoffError QUEUE_EVICTS when it would drop jobs
   */
  prepare(signal: AbortSignal): Promise<void>;
  /** A memory outside the database; null: this backend lives in it. */
  readonly witness: Witness | null;
  close(): Promise<void>;
}

export interface JobToAdd {
  name: JobName;
  id: string;
  payload: JobPayload;
  /** The trace that its work belongs to; null: none yet. */
  trace: JobTrace | null;
}

/** From the row, never from the queue: that may be lost. */
export interface JobTrace {
  traceparent: string;
  /** When the row's work began. */
  since: Date;
}

/** The producing side: puts jobs on the queues and asks after them. */
export interface JobQueue {
  readonly queues: WorkQueue[];
  /** May have added some of them when it throws: adding again is harmless. */
  add(list: JobToAdd[]): Promise<void>;
  /**
   * Which of these jobs will still run by themselves? An action's row is due only once its lease has run out: whoever
   * is still said to work on it has died.
   */
  alive(name: JobName, ids: string[]): Promise<Set<string>>;
  /** Does the backend answer? */
  ping(): Promise<boolean>;
  close(): Promise<void>;
}

/** Not `delayed`: a row that is overdue while its job still waits was delayed by a clock that was wrong. */
const waitingStates = ['waiting', 'prioritized', 'paused', 'waiting-children'];
/** Until it was reached once, the backend makes its callers wait for ever; afterwards it fails fast. */
const readyWithinMs = 2_000;

/** @param onError told of lost connections: a queue without a listener would end the process */
export function openJobQueue(backend: QueueBackend, onError: (error: Error) => void): JobQueue {
  const byName = new Map(
    queueNames.map((name) => {
      const queue = backend.openQueue(name);
      queue.on('error', onError);
      return [name, queue] as const;
    }),
  );
  const queueOf = (name: JobName) => byName.get(jobs[name].queue) as WorkQueue;
  const ready = async (queue: WorkQueue): Promise<WorkQueue> => {
    await within(readyWithinMs, queue.waitUntilReady());
    return queue;
  };

  return {
    queues: [...byName.values()],
    async add(list) {
      for (const [name, queue] of byName) {
        const mine = list.filter((job) => jobs[job.name].queue === name);
        if (mine.length === 0) continue;
        await (await ready(queue)).addBulk(
          mine.map((job) => ({
            name: job.name,
            data: jobs[job.name].payload.parse(job.payload),
            opts: { ...jobOptions, jobId: job.id, ...traceOption(job.trace) },
          })),
        );
      }
    },
    async alive(name, ids) {
      const queue = await ready(queueOf(name));
      const states = await Promise.all(ids.map((id) => queue.getJobState(id)));
      const alive = jobs[name].table === 'action' ? waitingStates : [...waitingStates, 'active'];
      return new Set(ids.filter((_, index) => alive.includes(states[index] ?? 'unknown')));
    },
    async ping() {
      try {
        await (await ready(queueOf('plan-person'))).getJobCounts('waiting');
        return true;
      } catch {
        return false;
      }
    },
    async close() {
      await Promise.allSettled([...byName.values()].map((queue) => queue.close()));
    },
  };
}

/** As job-traces.ts reads it; a failed attempt must not put its own place there. */
function traceOption(from: JobTrace | null): Pick<JobsOptions, 'telemetry'> {
  if (from === null) return {};
  const { traceparent, since } = from;
  return { telemetry: { metadata: JSON.stringify({ traceparent, since: since.getTime() }), omitContext: true } };
}

function within<T>(ms: number, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the queue does not answer')), ms);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
