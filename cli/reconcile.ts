import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { policyOf } from '#shared/config/policy.js';
import { SendoffError } from '#shared/errors.js';
import { type AccountOutcome, reconcile } from '#shared/planning/reconcile.js';
import { openOutside } from '#shared/planning/surroundings.js';
import { ensureAccounts, openBreaker } from '#shared/store/accounts.js';
import { type Db, databaseNow } from '#shared/store/database.js';
import { isWorkerAlive } from '#shared/store/processes.js';
import { beginRun, runUnderWay } from '#shared/store/reconcile-runs.js';
import { addOperatorOption, type OperatorOptions, operatorOf } from './operator.js';
import { exitCodes, print, table } from './output.js';
import { progressBar } from './progress.js';
import { commonOptions, configOf, environmentNow, withDatabase } from './session.js';

interface ReconcileOptions extends OperatorOptions {
  account?: string;
  cheap?: boolean;
  acceptShrink?: boolean;
}

/** Another comparison under way is waited for so long. */
const waitMs = 10 * 60_000;

export function addReconcile(program: Command): void {
  addOperatorOption(program.command('reconcile'))
    .description(
      'compare all rosters with the directory now; what differs is planned, and done as each account’s mode says',
    )
    .option('--account <name>', 'only this account')
    .option('--cheap', 'compare who is there, and not what each may do')
    .option('--accept-shrink', 'what lists fewer people than the last time is right: measure by it from now on')
    .option('--once', 'one comparison, whatever the schedule says: what it does anyway')
    .action(async (options: ReconcileOptions, command: Command) => {
      const common = commonOptions(command);
      const { config } = configOf(common);
      const { account } = options;
      if (account !== undefined && !Object.hasOwn(config.accounts, account)) throw unknownAccount(account);
      const policy = policyOf(config);
      const by = operatorOf(options);
      const mode = options.cheap === true ? ('cheap' as const) : ('deep' as const);
      const outcomes = await withDatabase(environmentNow(), async ({ db }) => {
        await ensureAccounts(db, Object.keys(config.accounts));
        const { surroundings } = openOutside(db, config, policy, (name, why) => openBreaker(db, name, why));
        const runId = await takeTurn(db, mode, by);
        const bar = progressBar('accounts compared', !common.json);
        const found = await reconcile(surroundings, {
          runId,
          mode,
          by,
          now: new Date(await databaseNow(db)),
          acceptShrink: options.acceptShrink === true,
          onProgress: bar.update,
          ...(account === undefined ? {} : { account }),
        }).finally(bar.end);
        if (found.some((one) => one.plans.length > 0) && !(await isWorkerAlive(db))) {
          process.stderr.write('sendoff: no worker is running: what was planned is done once one is (sendoff up)\n');
        }
        return found;
      });
      print(common.json, { accounts: outcomes.map(documentOf) }, () => outcomes.map(textOf).join('\n\n'));
      const held = outcomes.some((one) => one.plans.some(({ plan }) => plan?.state === 'held'));
      const failed = outcomes.some((one) => one.teammates === 0 && !one.complete && one.problems.length > 0);
      process.exitCode = held ? exitCodes.held : failed ? exitCodes.failed : exitCodes.done;
    });
}

/** Two comparisons at once would plan the same twice: the other one is waited for. */
async function takeTurn(db: Db, mode: 'cheap' | 'deep', by: string): Promise<string> {
  const end = Date.now() + waitMs;
  let said = false;
  for (;;) {
    const runId = await beginRun(db, mode, by);
    if (runId !== null) return runId;
    const other = await runUnderWay(db);
    if (!said && other !== null) process.stderr.write(`sendoff: waiting for a comparison by ${other.by}\n`);
    said = true;
    if (Date.now() > end) {
      throw new SendoffError('another comparison is still under way', {
        code: 'RECONCILE_UNDER_WAY',
        blame: 'remote',
        remedy: 'try again when it is through',
      });
    }
    await sleep(200);
  }
}

function documentOf({ account, complete, teammates, drift, plans, problems }: AccountOutcome) {
  const made = new Map(
    plans.flatMap(({ plan, person }) => (plan === null ? [] : [[plan.id, { ...plan, person }] as const])),
  );
  return {
    account,
    complete,
    teammates,
    drift: drift.map(({ act: _, granted: __, ...one }) => one),
    plans: [...made.values()],
    problems: [
      ...problems,
      ...plans.flatMap(({ person, problem }) => (problem === null ? [] : [`${person.email}: ${problem}`])),
    ],
  };
}

function textOf(outcome: AccountOutcome): string {
  const { account, complete, teammates, drift, plans, problems } = documentOf(outcome);
  const states = new Map(plans.map(({ id, state }) => [id, state] as const));
  const lines = [
    `${account}: ${teammates} teammates, ${drift.length === 0 ? 'no drift' : `${drift.length} differ`}${complete ? '' : ' (not complete)'}`,
  ];
  if (drift.length > 0) {
    lines.push(
      table(
        drift,
        [
          { title: '  KIND', value: (one) => `  ${one.kind}` },
          { title: 'WHO', value: (one) => one.email },
          {
            title: 'WHERE',
            value: (one) => (one.subuser === null ? one.footprint : `${one.footprint} in ${one.subuser}`),
          },
          { title: 'PLAN', value: (one) => (one.plan === null ? 'reported' : (states.get(one.plan) ?? 'planned')) },
          { title: 'WHY', value: (one) => one.detail },
        ],
        '',
      ),
    );
  }
  return [...lines, ...problems.map((problem) => `  ? ${problem}`)].join('\n');
}

function unknownAccount(account: string): SendoffError {
  return new SendoffError(`there is no account ${account} in the configuration`, {
    code: 'ACCOUNT_UNKNOWN',
    blame: 'input',
    remedy: 'sendoff check names the accounts',
  });
}
