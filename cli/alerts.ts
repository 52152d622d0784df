import type { Command } from 'commander';
import { shortTime } from './listing.js';
import { exitCodes, print, table } from './output.js';
import { commonOptions, withSendoff } from './session.js';
import { coloured, lookOf } from './terminal.js';

const reach = () => import('./reach/alerts.js');

export function addAlerts(program: Command): void {
  const alerts = program.command('alerts').description('what needs a human, and who is told');

  alerts
    .command('list')
    .description('what is so now, newest first')
    .action(async (_options: unknown, command: Command) => {
      const { json } = commonOptions(command);
      const items = await withSendoff(command, reach, ({ list }) => list());
      print(json, { items, next: null }, () =>
        table(
          items,
          [
            { title: 'SINCE', value: (one) => shortTime(one.openedAt) },
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
      const { json } = commonOptions(command);
      const channels = await withSendoff(command, reach, ({ test }) => test(channel));
      const look = lookOf(process.stdout);
      print(json, { channels }, () =>
        channels
          .map(({ channel: name, ok, error }) => {
            return `${coloured(ok ? 'told' : 'FAIL', look)}  ${name}${ok ? '' : `: ${error}`}`;
          })
          .join('\n'),
      );
      if (channels.some(({ ok }) => !ok)) process.exitCode = exitCodes.failed;
    });
}
