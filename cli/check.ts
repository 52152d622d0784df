import type { Command } from 'commander';
import { configOf } from './config.js';
import { print } from './output.js';
import { commonOptions, environmentNow } from './session.js';

export function addCheck(program: Command): void {
  program
    .command('check')
    .description('is the configuration valid? Touches nothing outside this machine')
    .action((_options: unknown, command: Command) => {
      const options = commonOptions(command);
      environmentNow();
      const { config, path, notices } = configOf(options);
      const summary = {
        path,
        sources: Object.keys(config.sources),
        accounts: Object.entries(config.accounts).map(([name, { mode }]) => ({ name, mode })),
        notices,
      };
      print(options.json, summary, () =>
        [
          `${path} is valid.`,
          `Sources: ${summary.sources.join(', ')}; the truth is ${config.authority.join(', then ')}.`,
          `Accounts: ${summary.accounts.map(({ name, mode }) => `${name} (${mode})`).join(', ')}.`,
          ...notices.map((notice) => `Note: ${notice}`),
        ].join('\n'),
      );
    });
}
