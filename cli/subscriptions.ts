import type { Command } from 'commander';
import { shortTime } from './listing.js';
import { exitCodes, print, table } from './output.js';
import type { SourceSubscriptions, SubscriptionTask } from './reach/subscriptions.js';
import { commonOptions, withSendoff } from './session.js';

const reach = () => import('./reach/subscriptions.js');

const texts: Record<SubscriptionTask, string> = {
  list: 'what identity providers send here: state, expiry, and when each source was heard of last',
  ensure: 'create, verify, renew or repair hooks, channels and subscriptions; the web process has to be reachable',
  remove: 'take them back: only catch-up and reconciliation remain',
};

export function addSubscriptions(program: Command): void {
  const subscriptions = program
    .command('subscriptions')
    .description('hooks, channels and subscriptions at the identity providers');
  for (const task of ['list', 'ensure', 'remove'] as const) {
    const command = subscriptions
      .command(task)
      .description(texts[task])
      .option('--source <source>', 'only this source');
    command.action(async ({ source }: { source?: string }, self: Command) => {
      const { json } = commonOptions(self);
      const sources = await withSendoff(self, reach, ({ manage }) => manage(task, source));
      print(json, { sources }, () => textOf(sources, task));
      if (sources.some(needsAttention)) process.exitCode = exitCodes.failed;
    });
  }
}

function needsAttention({ problem, subscriptions }: SourceSubscriptions): boolean {
  return problem !== null || subscriptions.some(({ state }) => state !== 'active');
}

interface Row {
  source: string;
  kind: string;
  state: string;
  expires: string | null;
  heard: string | null;
  detail: string;
}

function textOf(sources: SourceSubscriptions[], task: SubscriptionTask): string {
  return table(
    sources.flatMap((source) => rowsOf(source, task)),
    [
      { title: 'SOURCE', value: (row) => row.source },
      { title: 'KIND', value: (row) => row.kind },
      { title: 'STATE', value: (row) => row.state, isState: true },
      { title: 'EXPIRES', value: (row) => row.expires },
      { title: 'LAST EVENT', value: (row) => row.heard },
      { title: 'DETAIL', value: (row) => row.detail },
    ],
    'No sources.',
  );
}

function rowsOf(
  { source, manageable, lastEventAt, subscriptions, problem }: SourceSubscriptions,
  task: SubscriptionTask,
): Row[] {
  const heard = shortTime(lastEventAt);
  const none = manageable
    ? {
        state: task === 'remove' ? 'removed' : 'none',
        detail: task === 'list' ? '`sendoff subscriptions ensure` makes one' : '',
      }
    : { state: 'by hand', detail: `nothing to make here: see docs/sources` };
  if (problem !== null) return [{ source, kind: '-', state: 'unknown', expires: null, heard, detail: problem }];
  if (subscriptions.length === 0) return [{ source, kind: '-', expires: null, heard, ...none }];
  return subscriptions.map(({ kind, state, expiresAt, detail, remedy }) => ({
    source,
    kind,
    state,
    expires: shortTime(expiresAt),
    heard,
    detail: remedy === '' ? detail : `${detail}: ${remedy}`,
  }));
}
