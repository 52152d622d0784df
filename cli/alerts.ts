import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { send } from '#shared/alerts/channels.js';
import { messageOf as digestOf } from '#shared/alerts/message.js';
import { policyOf } from '#shared/config/policy.js';
import { messageOf, SendoffError } from '#shared/errors.js';
import { openOutside } from '#shared/planning/surroundings.js';
import { openAlerts } from '#shared/store/alerts.js';
import { shortTime } from './listing.js';
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
      const wanted = Object.entries(config.notifications).filter(([name]) => channel === undefined || name === channel);
      if (wanted.length === 0) {
        throw new SendoffError(channel === undefined ? 'no notifications are configured' : `there is no ${channel}`, {
          code: 'CHANNEL_UNKNOWN',
          blame: 'input',
          remedy: `add it under notifications in sendoff.yaml; there is ${Object.keys(config.notifications).join(', ') || 'none'}`,
        });
      }
      const outcomes = await withDatabase(environmentNow(), async ({ db }) => {
        const { clients } = openOutside(db, config, policyOf(config), () => Promise.resolve());
        const alert = {
          key: 'test',
          kind: 'hold' as const,
          title: 'This is a test: nothing waits for you',
          remedy: '',
        };
        return Promise.all(
          wanted.map(async ([name, one]) => {
            const message = digestOf([alert], config.publicUrl ?? null);
            const delivery = { id: `msg_${randomUUID()}`, message, alerts: [alert], at: new Date() };
            const error = await send(name, one, clients, delivery).then(() => null, messageOf);
            return { channel: name, ok: error === null, error };
          }),
        );
      });
      print(json, { channels: outcomes }, () =>
        outcomes
          .map(({ channel: name, ok, error }) => `${ok ? 'told ' : 'FAIL '} ${name}${ok ? '' : `: ${error}`}`)
          .join('\n'),
      );
      if (outcomes.some(({ ok }) => !ok)) process.exitCode = exitCodes.failed;
    });
}
