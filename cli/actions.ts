import type { Command } from 'commander';
import { type ActionState, actionStates } from '#shared/lifecycle/types.js';
import { addListOptions, type ListOptions, printList, shortTime } from './listing.js';
import { commonOptions, withSendoff } from './session.js';

const reach = () => import('./reach/actions.js');

export function addActions(program: Command): void {
  const actions = program.command('actions').description('what is and was done in SendGrid: the effect ledger');

  addListOptions(actions.command('list').description('newest first'), actionStates)
    .addHelpText('after', '\nExample:\n  sendoff actions list --state failed')
    .action(async (options: ListOptions, command: Command) => {
      const { json } = commonOptions(command);
      const state = options.state === undefined ? {} : { state: options.state as ActionState };
      await withSendoff(command, reach, ({ list }) =>
        printList(
          json,
          options,
          (query) => list({ ...query, ...state }),
          [
            { title: 'CREATED', value: (a) => shortTime(a.createdAt) },
            { title: 'STATE', value: (a) => a.state, isState: true },
            { title: 'KIND', value: (a) => `${a.kind} ${a.footprint}` },
            { title: 'ACCOUNT', value: (a) => a.account },
            { title: 'TARGET', value: (a) => a.target },
            { title: 'TRIES', value: (a) => String(a.attempts) },
            { title: 'ID', value: (a) => a.id },
            { title: 'LAST ERROR', value: (a) => a.lastError ?? '' },
          ],
          'No actions yet.',
        ),
      );
    });
}
