import type { Command } from 'commander';
import { SendoffError } from '#shared/errors.js';
import { resumeEffects, stopEffects } from '#shared/operations/stops.js';
import { everywhere } from '#shared/store/stops.js';
import { addOperatorOption, type OperatorOptions, operatorOf } from './operator.js';
import { print } from './output.js';
import { commonOptions, configOf, environmentNow, withDatabase } from './session.js';

interface StopOptions extends OperatorOptions {
  account?: string;
  reason?: string;
}

export function addStop(program: Command): void {
  addOperatorOption(program.command('stop'))
    .description('let nothing more be changed in SendGrid, at once; events are still taken in and planned')
    .option('--account <name>', 'only in this account')
    .option('--reason <text>', 'why; shown to whoever wonders')
    .action(async (options: StopOptions, command: Command) => {
      const common = commonOptions(command);
      const scope = scopeOf(options, common);
      const by = operatorOf(options);
      const stops = await withDatabase(environmentNow(), ({ db }) =>
        stopEffects(db, { scope, by, reason: options.reason ?? null }),
      );
      print(common.json, { stops }, () => {
        const where = scope === everywhere ? 'everywhere' : `in ${scope}`;
        return `Stopped ${where}: within 5 s nothing more is changed. \`sendoff resume\` lifts it.`;
      });
    });
}

export function addResume(program: Command): void {
  addOperatorOption(program.command('resume'))
    .description('lift a stop: what waited goes on')
    .option('--account <name>', 'the stop of this account')
    .action(async (options: StopOptions, command: Command) => {
      const common = commonOptions(command);
      const scope = scopeOf(options, common);
      const by = operatorOf(options);
      const stops = await withDatabase(environmentNow(), ({ db }) => resumeEffects(db, { scope, by }));
      print(common.json, { stops }, () => {
        const left = stops.map((stop) => (stop.scope === everywhere ? 'everywhere' : stop.scope)).join(', ');
        return left === '' ? 'Resumed: what waited goes on.' : `Resumed; still stopped: ${left}.`;
      });
    });
}

function scopeOf({ account }: StopOptions, common: { config: string | undefined }): string {
  if (account === undefined) return everywhere;
  const { config } = configOf(common);
  if (Object.hasOwn(config.accounts, account)) return account;
  throw new SendoffError(`there is no account ${account} in the configuration`, {
    code: 'ACCOUNT_UNKNOWN',
    blame: 'input',
    remedy: `there is ${Object.keys(config.accounts).join(', ')}`,
  });
}
