import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { SendoffError } from '#shared/errors.js';
import { reconcile } from '#shared/planning/reconcile.js';
import { reconcileDocument } from '#shared/planning/reconcile-document.js';
import { ensureAccounts } from '#shared/store/accounts.js';
import { type Db, databaseNow } from '#shared/store/database.js';
import { isWorkerAlive } from '#shared/store/processes.js';
import { beginRun, runUnderWay } from '#shared/store/reconcile-runs.js';
import { assertAccount } from '../accounts.js';
import type { DatabaseSession } from '../database.js';
import type { Server } from '../server/client.js';
import { isWorkerAliveAt } from '../server/documents.js';

/** Another comparison under way is waited for so long. */
const waitMs = 10 * 60_000;
const pauseMs = 250;

const account = z.object({
  account: z.string(),
  complete: z.boolean(),
  teammates: z.number(),
  drift: z.array(
    z.object({
      kind: z.string(),
      email: z.string(),
      footprint: z.string(),
      subuser: z.string().nullable(),
      detail: z.string(),
      plan: z.string().nullable(),
    }),
  ),
  plans: z.array(z.object({ id: z.string(), state: z.string() })),
  problems: z.array(z.string()),
});
const request = z.object({
  id: z.string(),
  state: z.enum(['waiting', 'running', 'done', 'failed']),
  problem: z.string().nullable(),
  progress: z.object({ done: z.number(), of: z.number() }).nullable(),
  accounts: z.array(account).nullable(),
});

export type Compared = z.infer<typeof account>;

export interface Comparison {
  mode: 'cheap' | 'deep';
  /** undefined: all of them. */
  account: string | undefined;
  acceptShrink: boolean;
}

/** What a command shows while it waits. */
export interface Telling {
  progress(done: number, of: number): void;
  waiting(forWhom: string): void;
}

/** Comparisons of rosters and directory. */
export interface Reconciliations {
  /** @throws SendoffError ACCOUNT_UNKNOWN, RECONCILE_UNDER_WAY, and what the directory's reading throws */
  run(wanted: Comparison, tell: Telling): Promise<Compared[]>;
  isWorkerAlive(): Promise<boolean>;
}

export function inDatabase({ db, by, config, outside }: DatabaseSession): Reconciliations {
  return {
    async run({ mode, account, acceptShrink }, tell) {
      if (account !== undefined) assertAccount(config(), account);
      await ensureAccounts(db, Object.keys(config().accounts));
      const { surroundings } = await outside();
      const runId = await takeTurn(db, mode, by(), tell);
      const outcomes = await reconcile(surroundings, {
        runId,
        mode,
        by: by(),
        now: new Date(await databaseNow(db)),
        acceptShrink,
        onProgress: tell.progress,
        ...(account === undefined ? {} : { account }),
      });
      return outcomes.map(reconcileDocument);
    },
    isWorkerAlive: () => isWorkerAlive(db),
  };
}

/** Two comparisons at once would plan the same twice: the other one is waited for. */
async function takeTurn(db: Db, mode: 'cheap' | 'deep', by: string, tell: Telling): Promise<string> {
  const end = Date.now() + waitMs;
  for (;;) {
    const runId = await beginRun(db, mode, by);
    if (runId !== null) return runId;
    const other = await runUnderWay(db);
    if (other !== null) tell.waiting(`a comparison by ${other.by}`);
    if (Date.now() > end) {
      throw new SendoffError('another comparison is still under way', {
        code: 'RECONCILE_UNDER_WAY',
        blame: 'remote',
        remedy: 'try again when it is through',
      });
    }
    await sleep(pauseMs);
  }
}

export function atServer(server: Server): Reconciliations {
  return {
    async run({ mode, account, acceptShrink }, tell) {
      const path = acceptShrink ? '/reconciliations/accept-shrink' : '/reconciliations';
      let asked = await server.post(path, request, { mode, account });
      while (asked.state === 'waiting' || asked.state === 'running') {
        if (asked.progress !== null) tell.progress(asked.progress.done, asked.progress.of);
        if (asked.state === 'waiting') {
          if (!(await isWorkerAliveAt(server))) throw nobodyCompares();
          tell.waiting('a worker there');
        }
        await sleep(pauseMs);
        asked = await server.get(`/reconciliations/requests/${asked.id}`, request);
      }
      if (asked.problem !== null) {
        throw new SendoffError(asked.problem, { code: 'RECONCILE_FAILED', blame: 'remote' });
      }
      return asked.accounts ?? [];
    },
    isWorkerAlive: () => isWorkerAliveAt(server),
  };
}

function nobodyCompares(): SendoffError {
  return new SendoffError('the comparison is asked for, but no worker is running there to make it', {
    code: 'NO_WORKER',
    blame: 'remote',
    remedy: 'start `sendoff worker` there; it is made then',
  });
}
