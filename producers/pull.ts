import type { Config } from '#shared/config/schema.js';
import { messageOf, WaitError } from '#shared/errors.js';
import { failpoint } from '#shared/failpoint.js';
import type { Settings } from '#shared/runtime.js';
import type { Db } from '#shared/store/database.js';
import { openDatabase } from '#shared/store/database.js';
import { storePage } from '#shared/store/intake.js';
import { requestReconcileOnce } from '#shared/store/reconcile-requests.js';
import {
  addTasks,
  type ClaimedTask,
  claimTasks,
  failTask,
  finishTask,
  renewTask,
  type SourceTask,
  wakeTasks,
} from '#shared/store/source-tasks.js';
import { storedSubscriptions } from '#shared/store/subscriptions.js';
import type { Log } from '#shared/telemetry/log.js';
import { CursorLost, type PollStream, type Source, type SubscriptionKeeper, subscriptionsTask } from './source.js';
import { configuredSources } from './sources.js';
import { contextOf, ensureSubscriptions, hookUrlOf } from './subscriptions.js';

/** How often it is looked for what is due: one query. */
const tickMs = 1_000;
/** After failures in a row the wait doubles, up to this. */
const longestWaitMs = 15 * 60_000;
const renewEveryMs = 20_000;

export interface Pull {
  stop(): Promise<void>;
}

/**
 * Asks every source for what its pushes did not bring, and keeps its subscriptions alive. Run by each worker process; of
 * several, one does each task at a time. A source that fails or throttles holds up nobody but itself.
 */
export function startPull({ config, environment, databaseUrl, log, scrub }: Settings): Pull {
  const database = openDatabase({
    url: databaseUrl,
    max: 4,
    statementTimeoutMs: 30_000,
    applicationName: 'sendoff-pull',
    tls: environment.databaseTls,
    log,
  });
  const { db } = database;
  const stopping = new AbortController();
  const tasks = tasksOf(configuredSources(config, db), config);
  const running = new Set<Promise<void>>();
  let added = false;
  let looking: Promise<void> | null = null;

  const look = async (): Promise<void> => {
    if (!added) await addTasks(db, tasks);
    added = true;
    for (const claimed of await claimTasks(db, tasks)) {
      const task = tasks.find((one) => one.source === claimed.source && one.task === claimed.task);
      if (task === undefined) continue;
      const run = runTask({ db, log, scrub, signal: stopping.signal }, task, claimed).finally(() =>
        running.delete(run),
      );
      running.add(run);
    }
  };
  const tick = (): void => {
    if (stopping.signal.aborted) return;
    looking ??= look()
      .catch((error: unknown) =>
        log.debug({ error: messageOf(error) }, 'the database is away; sources are asked later'),
      )
      .finally(() => {
        looking = null;
      });
  };
  tick();
  const timer = setInterval(tick, tickMs);

  return {
    async stop() {
      stopping.abort();
      clearInterval(timer);
      await looking;
      await Promise.all(running);
      await database.close();
    },
  };
}

interface PullContext {
  db: Db;
  log: Log;
  scrub(text: string): string;
  signal: AbortSignal;
}

interface Task extends SourceTask {
  everyMs: number;
  run(context: PullContext, claimed: ClaimedTask): Promise<void>;
}

function tasksOf(sources: Source[], config: Config): Task[] {
  return sources.flatMap(({ name, polls, subscriptions }) => [
    ...polls.map((stream) => pollTask(name, stream)),
    ...(subscriptions === null || config.publicUrl === undefined
      ? []
      : [keepTask(name, subscriptions, hookUrlOf(config.publicUrl, name))]),
  ]);
}

function pollTask(source: string, stream: PollStream): Task {
  return {
    source,
    task: stream.task,
    everyMs: stream.everyMs,
    async run({ db, log, signal }, claimed) {
      let stored = 0;
      for await (const { entries, cursor, asksFor = [] } of stream.pages(claimed.cursor)) {
        failpoint('pull.before_commit');
        const result = await storePage(db, claimed, entries, cursor);
        // Another process took over: it goes on from where the last page was stored.
        if (result === null) return;
        stored += result.stored;
        failpoint('pull.after_commit');
        if (asksFor.length > 0 && result.stored > 0) {
          log.error({ source, task: stream.task, asksFor }, 'the source says that it could not deliver to this place');
          await wakeTasks(db, source, asksFor);
        }
        if (signal.aborted) return;
      }
      if (stored > 0) log.info({ source, task: stream.task, stored }, 'events were found that no push had brought');
    },
  };
}

/** Only what somebody once asked for with `sendoff subscriptions ensure` is kept alive. */
function keepTask(source: string, keeper: SubscriptionKeeper, hookUrl: string): Task {
  return {
    source,
    task: subscriptionsTask,
    everyMs: keeper.checkEveryMs,
    async run({ db, log }) {
      const stored = await storedSubscriptions(db, source);
      if (stored.length === 0) return;
      const context = contextOf(db, source, hookUrl, stored);
      for (const { kind, state, detail, remedy } of await ensureSubscriptions(db, source, keeper, context)) {
        if (state !== 'active') log.error({ source, kind, state, detail, remedy }, 'a subscription does not work');
      }
    },
  };
}

async function runTask(context: PullContext, task: Task, claimed: ClaimedTask): Promise<void> {
  const { db, log, scrub } = context;
  // A slow provider is no death: somebody else would begin the same.
  const pulse = setInterval(() => void renewTask(db, claimed).catch(() => undefined), renewEveryMs);
  try {
    await task.run(context, claimed).finally(() => clearInterval(pulse));
    await finishTask(db, claimed, task.everyMs);
  } catch (error) {
    const lost = error instanceof CursorLost;
    const said = error instanceof WaitError ? error.delayMs : 0;
    const delayMs = lost
      ? 0
      : Math.max(said, Math.min(task.everyMs * 2 ** Math.min(claimed.failures, 10), longestWaitMs));
    const message = scrub(messageOf(error));
    log.warn(
      { source: claimed.source, task: claimed.task, error: message, failures: claimed.failures + 1 },
      lost
        ? 'the source no longer knows where we were: it is asked anew'
        : 'a source could not be asked; it is asked again',
    );
    try {
      // Who left between the lost place and now is in no list of changes any more: only the directory knows.
      if (lost) await requestReconcileOnce(db, `source:${claimed.source}`);
      await failTask(db, claimed, { delayMs, error: message, lost });
    } catch {
      // The database is away: the lease runs out, and the place is found lost again.
    }
  }
}
