import type { Command } from 'commander';
import type { Check } from '#shared/directory/directory.js';
import { messageOf } from '#shared/errors.js';
import { configOf } from './config.js';
import { exitCodes, print } from './output.js';
import { commonOptions, environmentNow, serverFor, withSendoff } from './session.js';
import { coloured, lookOf } from './terminal.js';

const reach = () => import('./reach/doctor.js');

export function addDoctor(program: Command): void {
  program
    .command('doctor')
    .description(
      'can every key, directory and scope do what the configuration needs? Prints a remedy for each that can’t',
    )
    .action(async (_options: unknown, command: Command) => {
      const options = commonOptions(command);
      const isRemote = serverFor(command, environmentNow()) !== null;
      const notices = isRemote ? [] : configOf(options).notices;
      const asked = withSendoff(command, reach, ({ examine }) => examine());
      // A database that is away is what the doctor is asked about; a server that is away can't be asked anything.
      const checks = await (isRemote ? asked : asked.catch((error: unknown) => [databaseAway(error)]));
      const failing = checks.filter((check) => !check.ok);
      print(options.json, { checks }, () =>
        [
          ...checks.map(lineOf),
          ...notices.map((notice) => `note  ${notice}`),
          failing.length === 0
            ? 'Everything that was asked answers as it must.'
            : `${failing.length} of ${checks.length} need attention.`,
        ].join('\n'),
      );
      if (failing.length > 0) process.exitCode = exitCodes.failed;
    });
}

function databaseAway(error: unknown): Check {
  return {
    name: 'database',
    ok: false,
    detail: messageOf(error),
    remedy: 'start the database, or correct DATABASE_URL; then `sendoff migrate`',
  };
}

function lineOf({ name, ok, detail, remedy }: Check): string {
  const word = coloured(ok ? 'ok  ' : 'FAIL', lookOf(process.stdout));
  return `${word}  ${name}: ${detail}${ok || remedy === '' ? '' : `\n        → ${remedy}`}`;
}
