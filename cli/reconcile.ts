import type { Command } from 'commander';
import { addAccountOption } from './accounts.js';
import { addOperatorOption, type OperatorOptions } from './operator.js';
import { exitCodes, print, table } from './output.js';
import { progressBar } from './progress.js';
import type { Compared, Comparison, Reconciliations } from './reach/reconciliations.js';
import { commonOptions, withSendoff } from './session.js';

const reach = () => import('./reach/reconciliations.js');

interface ReconcileOptions extends OperatorOptions {
  account?: string;
  cheap?: boolean;
  acceptShrink?: boolean;
}

export function addReconcile(program: Command): void {
  addAccountOption(addOperatorOption(program.command('reconcile')), 'only this account')
    .description(
      'compare all rosters with the directory now; what differs is planned, and done as each account’s mode says',
    )
    .option('--cheap', 'compare who is there, and not what each may do')
    .option('--accept-shrink', 'what lists fewer people than the last time is right: measure by it from now on')
    .option('--once', 'one comparison, whatever the schedule says: what it does anyway')
    .addHelpText('after', '\nExample:\n  sendoff reconcile --account marketing')
    .action(async ({ account, cheap, acceptShrink = false }: ReconcileOptions, command: Command) => {
      const { json } = commonOptions(command);
      const wanted = { mode: cheap === true ? ('cheap' as const) : ('deep' as const), account, acceptShrink };
      const accounts = await withSendoff(command, reach, (them) => compare(them, wanted, !json));
      print(json, { accounts }, () => accounts.map(textOf).join('\n\n'));
      const held = accounts.some(({ plans }) => plans.some(({ state }) => state === 'held'));
      const failed = accounts.some((one) => one.teammates === 0 && !one.complete && one.problems.length > 0);
      process.exitCode = held ? exitCodes.held : failed ? exitCodes.failed : exitCodes.done;
    });
}

async function compare(reconciliations: Reconciliations, wanted: Comparison, withBar: boolean): Promise<Compared[]> {
  const bar = progressBar('accounts compared', withBar);
  let said = '';
  const waiting = (forWhom: string): void => {
    if (said !== forWhom) process.stderr.write(`sendoff: waiting for ${forWhom}\n`);
    said = forWhom;
  };
  const found = await reconciliations.run(wanted, { progress: bar.update, waiting }).finally(bar.end);
  if (found.some((one) => one.plans.length > 0) && !(await reconciliations.isWorkerAlive())) {
    process.stderr.write('sendoff: no worker is running: what was planned is done once one is (sendoff up)\n');
  }
  return found;
}

function textOf({ account, complete, teammates, drift, plans, problems }: Compared): string {
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
          {
            title: 'PLAN',
            value: (one) => (one.plan === null ? 'reported' : (states.get(one.plan) ?? 'planned')),
            isState: true,
          },
          { title: 'WHY', value: (one) => one.detail },
        ],
        '',
      ),
    );
  }
  return [...lines, ...problems.map((problem) => `  ? ${problem}`)].join('\n');
}
