import type { Command } from 'commander';
import { everywhere } from '#shared/store/stops.js';
import { addAccountOption } from './accounts.js';
import { addOperatorOption, type OperatorOptions } from './operator.js';
import { print } from './output.js';
import { commonOptions, withSendoff } from './session.js';

const reach = () => import('./reach/stops.js');

interface StopOptions extends OperatorOptions {
  account?: string;
  reason?: string;
}

export function addStop(program: Command): void {
  addAccountOption(addOperatorOption(program.command('stop')), 'only in this account')
    .description('let nothing more be changed in SendGrid, at once; events are still taken in and planned')
    .option('--reason <text>', 'why; shown to whoever wonders')
    .addHelpText('after', '\nExample:\n  sendoff stop --account marketing --reason "audit under way"')
    .action(async ({ account, reason }: StopOptions, command: Command) => {
      const { json } = commonOptions(command);
      const stops = await withSendoff(command, reach, ({ stop }) => stop(account, reason ?? null));
      print(json, { stops }, () => {
        const where = account === undefined ? 'everywhere' : `in ${account}`;
        return `Stopped ${where}: within 5 s nothing more is changed. \`sendoff resume\` lifts it.`;
      });
    });
}

export function addResume(program: Command): void {
  addAccountOption(addOperatorOption(program.command('resume')), 'the stop of this account')
    .description('lift a stop: what waited goes on')
    .action(async ({ account }: StopOptions, command: Command) => {
      const { json } = commonOptions(command);
      const stops = await withSendoff(command, reach, ({ resume }) => resume(account));
      print(json, { stops }, () => {
        const left = stops.map((stop) => (stop.scope === everywhere ? 'everywhere' : stop.scope)).join(', ');
        return left === '' ? 'Resumed: what waited goes on.' : `Resumed; still stopped: ${left}.`;
      });
    });
}
