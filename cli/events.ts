import type { Command } from 'commander';
import { type EventState, eventStates } from '#shared/lifecycle/types.js';
import { addFilterOptions, type FilterOptions, filterOf } from './event-filter.js';
import { addImport } from './events-import.js';
import { addReplay } from './events-replay.js';
import { assertId } from './ids.js';
import { addListOptions, type ListOptions, printList, shortTime } from './listing.js';
import { print } from './output.js';
import { commonOptions, withSendoff } from './session.js';

const reach = () => import('./reach/events.js');

export function addEvents(program: Command): void {
  const events = program.command('events').description('what the identity providers sent: the inbox');

  addFilterOptions(addListOptions(events.command('list').description('newest first'), eventStates))
    .addHelpText('after', '\nExample:\n  sendoff events list --state waiting --email jane@acme.com')
    .action(async (options: ListOptions & FilterOptions, command: Command) => {
      const { json } = commonOptions(command);
      const state = options.state === undefined ? {} : { state: options.state as EventState };
      await withSendoff(command, reach, ({ list }) =>
        printList(
          json,
          options,
          (query) => list({ ...query, ...state, ...filterOf(options) }),
          [
            { title: 'RECEIVED', value: (e) => shortTime(e.receivedAt) },
            { title: 'STATE', value: (e) => e.state, isState: true },
            { title: 'TYPE', value: (e) => e.type },
            { title: 'PERSON', value: (e) => e.person?.email ?? e.person?.id ?? null },
            { title: 'SOURCE', value: (e) => e.source },
            { title: 'ID', value: (e) => e.id },
            { title: 'WHY', value: (e) => e.lastError ?? e.reason ?? '' },
          ],
          'No events yet. `sendoff doctor` tells whether the hook can reach this place.',
        ),
      );
    });

  events
    .command('show')
    .argument('<id>')
    .description('one event: what was sent, and the plans it led to')
    .action(async (id: string, _options: unknown, command: Command) => {
      const { json } = commonOptions(command);
      assertId('event', id);
      const event = await withSendoff(command, reach, ({ show }) => show(id));
      print(json, event, () => {
        const { raw, ...facts } = event;
        return `${JSON.stringify(facts, null, 2)}\n\nAs it was sent:\n${raw}`;
      });
    });

  addReplay(events);
  addImport(events);
}
