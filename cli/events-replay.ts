import { setTimeout as sleep } from 'node:timers/promises';
import { type Command, Option } from 'commander';
import { SendoffError } from '#shared/errors.js';
import type { EventFilter } from '#shared/store/event-filter.js';
import { isConfirmed } from './confirm.js';
import { addFilterOptions, type FilterOptions, filterOf } from './event-filter.js';
import { assertId } from './ids.js';
import { addOperatorOption, type OperatorOptions } from './operator.js';
import { exitCodes, print } from './output.js';
import { progressBar } from './progress.js';
import type { Events } from './reach/events.js';
import { commonOptions, withSendoff } from './session.js';

const reach = () => import('./reach/events.js');

/** What is under way needs no replay. */
const states = ['waiting', 'done', 'dead'] as const;
/** Counted and replayed by one command, as by one request of the API. */
const mostAtOnce = 100_000;
const pauseMs = 500;

interface ReplayOptions extends FilterOptions, OperatorOptions {
  state?: (typeof states)[number];
  yes?: boolean;
}

export function addReplay(events: Command): void {
  addFilterOptions(addOperatorOption(events.command('replay').argument('[id]', 'one event; else all that match')))
    .description('plan the person of an event anew, from the directory as it is now; or of all that match')
    .addOption(new Option('--state <state>', 'only these').choices(states))
    .option('--yes', 'replay all that match without asking')
    .addHelpText(
      'after',
      `
Examples:
  sendoff events replay 0b8f6c1e-3f0a-4c55-9d43-0d8c0f6f6a11
  sendoff events replay --state dead --since 2026-11-24T00:00:00Z`,
    )
    .action(async (id: string | undefined, options: ReplayOptions, command: Command) => {
      const filter: EventFilter = { ...filterOf(options), ...(options.state && { state: options.state }) };
      assertOneWay(id, filter);
      if (id === undefined) await replayMatching(command, filter, options.yes === true);
      else await replayOne(command, id);
    });
}

function assertOneWay(id: string | undefined, filter: EventFilter): void {
  const isNarrowed = Object.keys(filter).length > 0;
  if ((id === undefined) === isNarrowed) return;
  const what = isNarrowed ? 'an event is named, and others are described' : 'no event is named or described';
  throw new SendoffError(what, {
    code: 'OPTIONS_CONFLICT',
    blame: 'input',
    remedy: 'name one by its id, or describe them, such as --state dead',
  });
}

async function replayOne(command: Command, id: string): Promise<void> {
  const { json } = commonOptions(command);
  assertId('event that names a person', id);
  await withSendoff(command, reach, ({ replay }) => replay(id));
  print(
    json,
    { id, state: 'received' },
    () => `${id} is planned anew; \`sendoff events show ${id}\` tells the outcome.`,
  );
}

async function replayMatching(command: Command, filter: EventFilter, isYes: boolean): Promise<void> {
  const { json } = commonOptions(command);
  await withSendoff(command, reach, async (events) => {
    const count = await events.countReplayable(filter, mostAtOnce);
    const what = `${count}${count === mostAtOnce ? ' or more' : ''} events`;
    if (!json) process.stdout.write(`${what} match.\n`);
    const goes = count > 0 && (isYes || (!json && (await isConfirmed(`Plan their people anew, the newest first?`))));
    if (!goes) {
      print(json, { id: null, count }, () =>
        count === 0 ? 'There is nothing to replay.' : 'Nothing was replayed. `--yes` replays them.',
      );
      // Not confirmed is held.
      if (count > 0) process.exitCode = exitCodes.held;
      return;
    }
    const replay = await events.beginReplay(filter, mostAtOnce);
    if (json) return print(json, { id: replay.id, count: replay.count }, () => '');
    print(json, replay, () => 'A worker plans them anew, behind whatever is new. Ctrl-C begins no more of them.');
    await follow(events, replay.id);
  });
}

/** Until it is over; whoever breaks it off lets nothing more begin. */
async function follow(events: Events, id: string): Promise<void> {
  const bar = progressBar('events planned anew', true);
  let broken = false;
  const stop = () => {
    broken = true;
  };
  process.once('SIGINT', stop);
  try {
    for (;;) {
      const { state, done, count } = await events.showReplay(id);
      bar.update(done, count);
      if (state === 'done' || state === 'aborted') {
        bar.end();
        process.stdout.write(outcomeText(state, done, count));
        return;
      }
      if (broken) {
        broken = false;
        await events.abortReplay(id);
      } else if (!(await events.isWorkerAlive())) {
        bar.end();
        process.stdout.write('No worker is running; the replay is kept and goes on once one is.\n');
        return;
      }
      await sleep(pauseMs);
    }
  } finally {
    bar.end();
    process.removeListener('SIGINT', stop);
  }
}

function outcomeText(state: 'done' | 'aborted', done: number, count: number): string {
  const what = state === 'done' ? `${done} were planned anew` : `Aborted: ${done} of ${count} were planned anew`;
  return `${what}; \`sendoff plans list\` shows what came of them.\n`;
}
