import type { Command } from 'commander';
import { policyOf } from '#shared/config/policy.js';
import { testChannels } from '#shared/operations/alerts.js';
import { openOutside } from '#shared/planning/surroundings.js';
import { openAlerts } from '#shared/store/alerts.js';
import { shortTime } from './listing.js';
import { operatorOf } from './operator.js';
import { exitCodes, print, table } from './output.js';
import { commonOptions, configOf, environmentNow, withDatabase } from './session.js';

export function addAlerts(program: Command): void {
  const alerts = program.command('alerts').description('what needs a human, and who is told');

  alerts
    .command('list')
    .description('what is so now, newest first')
    .action(async (_options: unknown, command: Command) => {
      const { json } = commonOptions(command);
      const items = await withDatabase(environmentNow(), ({ db }) => openAlerts(db));
      print(
        json,
        { items: items.map(({ openedAt, times: _, ...one }) => ({ ...one, openedAt: openedAt.toISOString() })) },
        () =>
          table(
            items,
            [
              { title: 'SINCE', value: (one) => shortTime(one.openedAt.toISOString()) },
              { title: 'KIND', value: (one) => one.kind },
              { title: 'WHAT', value: (one) => one.title },
              { title: 'DO', value: (one) => one.remedy },
            ],
            'Nothing needs you.',
          ),
      );
    });

  alerts
    .command('test')
    .argument('[channel]', 'a name under `notifications`; without it, all of them')
    .description('send a test message now')
    .action(async (channel: string | undefined, _options: unknown, command: Command) => {
      const { json, config: path } = commonOptions(command);
      const { config } = configOf({ config: path });
      const outcomes = await withDatabase(environmentNow(), ({ db }) => {
        const { clients } = openOutside(db, config, policyOf(config), () => Promise.resolve());
        return testChannels(db, config, clients, { channel, by: operatorOf({}) });
      });
      print(json, { channels: outcomes }, () =>
        outcomes
          .map(({ channel: name, ok, error }) => `${ok ? 'told ' : 'FAIL '} ${name}${ok ? '' : `: ${error}`}`)
          .join('\n'),
      );
      if (outcomes.some(({ ok }) => !ok)) process.exitCode = exitCodes.failed;
    });
}
