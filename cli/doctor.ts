import type { Command } from 'commander';
import { policyOf } from '#shared/config/policy.js';
import type { Check } from '#shared/directory/directory.js';
import { messageOf } from '#shared/errors.js';
import { runDoctor } from '#shared/operations/doctor.js';
import { openOutside } from '#shared/planning/surroundings.js';
import { exitCodes, print } from './output.js';
import { commonOptions, configOf, environmentNow, withDatabase } from './session.js';

/** What has not answered by then is said to be so. */
const withinMs = 60_000;

export function addDoctor(program: Command): void {
  program
    .command('doctor')
    .description(
      'can every key, directory and scope do what the configuration needs? Prints a remedy for each that can’t',
    )
    .action(async (_options: unknown, command: Command) => {
      const options = commonOptions(command);
      const { config, notices } = configOf(options);
      const checks = await withDatabase(environmentNow(), ({ db }) => {
        const outside = openOutside(db, config, policyOf(config), () => Promise.resolve());
        return runDoctor(db, config, outside, withinMs);
      }).catch((error: unknown): Check[] => [
        {
          name: 'database',
          ok: false,
          detail: messageOf(error),
          remedy: 'start the database, or correct DATABASE_URL; then `sendoff migrate`',
        },
      ]);
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

function lineOf({ name, ok, detail, remedy }: Check): string {
  return `${ok ? 'ok  ' : 'FAIL'}  ${name}: ${detail}${ok || remedy === '' ? '' : `\n        → ${remedy}`}`;
}
