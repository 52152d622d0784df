import { setTimeout as sleep } from 'node:timers/promises';
import { type Command, Option } from 'commander';
import { SendoffError } from '#shared/errors.js';
import type { EventFilter } from '#shared/store/event-filter.js';
import { replayPerSecond } from '#shared/store/event-replay.js';
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
/** Counted and replayed by one command. */
const mostAtOnce = 1_000;
/** Whoever breaks it off has let no more than these go. */
const batchSize = 100;

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
    const replayed = goes ? await replayBatches(events, filter, count, !json) : 0;
    print(json, { count, replayed }, () => outcomeText(count, replayed, goes));
    // Not confirmed is held.
    if (!goes && count > 0) process.exitCode = exitCodes.held;
  });
}

/** The newest first, no faster than they are planned: what arrives meanwhile is not kept waiting behind them. */
async function replayBatches(events: Events, filter: EventFilter, count: number, withBar: boolean): Promise<number> {
  const bar = progressBar('events replayed', withBar);
  let replayed = 0;
  let before: string | undefined;
  try {
    for (;;) {
      const page = await events.list({ ...filter, limit: Math.min(batchSize, mostAtOnce - replayed), before });
      const ids = page.items.map(({ id }) => id);
      const done = ids.length === 0 ? 0 : await events.replayAll(ids);
      replayed += done;
      bar.update(replayed, count);
      if (page.next === null || replayed >= mostAtOnce) return replayed;
      before = page.next;
      await sleep((done / replayPerSecond) * 1_000);
    }
  } finally {
    bar.end();
  }
}

function outcomeText(count: number, replayed: number, goes: boolean): string {
  if (count === 0) return 'There is nothing to replay.';
  if (!goes) return 'Nothing was replayed. `--yes` replays them.';
  const more = replayed < mostAtOnce ? '' : ' More match: `--until` goes on with the older ones.';
  return `${replayed} are planned anew; \`sendoff plans list\` shows what comes of them.${more}`;
}
