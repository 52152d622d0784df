import { setTimeout as sleep } from 'node:timers/promises';
import type { Signer } from '#shared/audit/signing-key.js';
import { systemClock } from '#shared/clock.js';
import { messageOf } from '#shared/errors.js';
import { openOutside } from '#shared/planning/surroundings.js';
import { queueNames } from '#shared/queue/jobs.js';
import type { WorkWorker } from '#shared/queue/queue.js';
import { openRuntime, type Settings } from '#shared/runtime.js';
import { ensureAccounts, openBreaker } from '#shared/store/accounts.js';
import { reportAlive, reportGone } from '#shared/store/processes.js';
import { fileWitness } from '#shared/store/witness.js';
import type { WorkContext } from './context.js';
import { handlers } from './handlers.js';
import { processJob } from './process-job.js';
import { dropFindings } from './upkeep/drop-findings.js';
import { dropRestoreRecords } from './upkeep/drop-restore-records.js';
import { expireAnswers } from './upkeep/expire-answers.js';
import { feedReplays } from './upkeep/feed-replays.js';
import { keepAudit } from './upkeep/keep-audit.js';
import { keepReconciled } from './upkeep/keep-reconciled.js';
import { keepWitness, stopIfRestored } from './upkeep/keep-witness.js';
import { probeBreakers } from './upkeep/probe-breakers.js';
import { reconcileOnRequest } from './upkeep/reconcile-on-request.js';
import { tellAlerts } from './upkeep/tell-alerts.js';
import { startUpkeep } from './upkeep/upkeep.js';

/** Jobs in hand are given this long after SIGTERM; a platform kills after 30 s (reliability.md §14). */
const drainMs = 18_000;
const concurrency = { lifecycle: 10, actions: 20 };

export interface Work {
  /** Resolves when the queue answers and jobs are being taken; rejects when it would lose jobs (QUEUE_EVICTS). */
  ready: Promise<void>;
  stop(): Promise<void>;
}

/** Starts the worker role: plans, gates, applies, settles, and keeps the audit trail. */
export async function startWork(settings: Settings & { signer: Signer }): Promise<Work> {
  const { config, policy, log, scrub, signer } = settings;
  const runtime = await openRuntime(settings, 'worker');
  const { db } = runtime.database;
  await ensureAccounts(db, Object.keys(config.accounts));
  await reportAlive(db, runtime.self);

  const { clients, twilio, surroundings } = openOutside(db, config, policy, (account, reason) => {
    log.error({ account, reason }, 'SendGrid refuses the key of this account; its work waits');
    return openBreaker(db, account, scrub(reason));
  });
  const context: WorkContext = {
    db,
    policy,
    clients,
    twilio,
    surroundings,
    clock: systemClock,
    log,
    owner: runtime.self.id,
    nudge: runtime.relay.nudge,
    scrub,
  };
  const witness = runtime.backend.witness ?? fileWitness(settings.environment.dataDir);
  const upkeep = startUpkeep(
    [
      ...keepAudit(db, signer),
      probeBreakers(context),
      expireAnswers(context),
      dropRestoreRecords(context),
      dropFindings(context),
      keepReconciled(context),
      reconcileOnRequest(context),
      feedReplays(context),
      tellAlerts(context, config),
      keepWitness(db, witness, log),
      { name: 'report-alive', everyMs: 10_000, run: () => reportAlive(db, runtime.self) },
    ],
    log,
  );

  // A queue that is away is waited for: meanwhile the audit trail and the breakers are kept.
  const stopping = new AbortController();
  const workers: WorkWorker[] = [];
  const ready = runtime.backend.prepare(stopping.signal).then(async () => {
    await onceThere(stopping.signal, () => stopIfRestored(db, witness, log));
    for (const name of queueNames) {
      const worker = runtime.backend.openWorker(
        name,
        (job, token) => processJob(context, handlers, job, token),
        concurrency[name],
      );
      worker.on('error', (error) => log.debug({ queue: name, error: messageOf(error) }, 'the queue is away'));
      workers.push(worker);
    }
    log.info({ accounts: Object.keys(config.accounts), queue: runtime.backend.kind }, 'worker is up');
  });

  return {
    ready,
    async stop() {
      stopping.abort();
      await ready.catch(() => undefined);
      await upkeep.stop();
      const closed = Promise.allSettled(workers.map((worker) => worker.close()));
      const inTime = await Promise.race([
        closed.then(() => true),
        new Promise<boolean>((r) => setTimeout(r, drainMs, false).unref()),
      ]);
      // Unfinished jobs stall, and their rows' leases run out: another worker takes them over.
      if (!inTime) log.warn({}, 'jobs were still running at the end of the time to drain; they are taken over later');
      await reportGone(db, runtime.self.id).catch(() => undefined);
      await runtime.close();
    },
  };
}

/** Nothing may begin before it is done; a database that is away is waited for. */
async function onceThere(signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      return await work();
    } catch {
      await sleep(1_000, undefined, { signal });
    }
  }
}
