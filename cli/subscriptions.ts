import type { Command } from 'commander';
import { manageSubscriptions, type SourceSubscriptions } from '#producers/subscriptions.js';
import { shortTime } from './listing.js';
import { exitCodes, print, table } from './output.js';
import { commonOptions, configOf, environmentNow, withDatabase } from './session.js';

const texts = {
  list: 'what identity providers send here: state, expiry, and when each source was heard of last',
  ensure: 'create, verify, renew or repair hooks, channels and subscriptions; the web process has to be reachable',
  remove: 'take them back: only catch-up and reconciliation remain',
} as const;

export function addSubscriptions(program: Command): void {
  const subscriptions = program
    .command('subscriptions')
    .description('hooks, channels and subscriptions at the identity providers');
  for (const what of ['list', 'ensure', 'remove'] as const) {
    const command = subscriptions.command(what).description(texts[what]).option('--source <name>', 'only this source');
    command.action(async ({ source }: { source?: string }, self: Command) => {
      const { config, json } = commonOptions(self);
      const loaded = configOf({ config });
      await withDatabase(environmentNow(), async ({ db }) => {
        const sources = await manageSubscriptions(db, loaded.config, what, source);
        print(json, { sources: sources.map(documentOf) }, () => textOf(sources, what));
        if (sources.some(needsAttention)) process.exitCode = exitCodes.failed;
      });
    });
  }
}

function needsAttention({ problem, subscriptions }: SourceSubscriptions): boolean {
  return problem !== null || subscriptions.some(({ state }) => state !== 'active');
}

function documentOf({ lastEventAt, subscriptions, ...source }: SourceSubscriptions) {
  return {
    ...source,
    lastEventAt: lastEventAt?.toISOString() ?? null,
    subscriptions: subscriptions.map((one) => ({ ...one, expiresAt: one.expiresAt?.toISOString() ?? null })),
  };
}

interface Row {
  source: string;
  kind: string;
  state: string;
  expires: string | null;
  heard: string | null;
  detail: string;
}

function textOf(sources: SourceSubscriptions[], what: keyof typeof texts): string {
  const rows = sources.flatMap(({ source, manageable, lastEventAt, subscriptions, problem }): Row[] => {
    const heard = shortTime(lastEventAt?.toISOString() ?? null);
    const none = manageable
      ? {
          state: what === 'remove' ? 'removed' : 'none',
          detail: what === 'list' ? '`sendoff subscriptions ensure` makes one' : '',
        }
      : { state: 'by hand', detail: `nothing to make here: see docs/sources` };
    if (problem !== null) return [{ source, kind: '-', state: 'unknown', expires: null, heard, detail: problem }];
    if (subscriptions.length === 0) return [{ source, kind: '-', expires: null, heard, ...none }];
    return subscriptions.map(({ kind, state, expiresAt, detail, remedy }) => ({
      source,
      kind,
      state,
      expires: shortTime(expiresAt?.toISOString() ?? null),
      heard,
      detail: remedy === '' ? detail : `${detail}: ${remedy}`,
    }));
  });
  return table(
    rows,
    [
      { title: 'SOURCE', value: (row) => row.source },
      { title: 'KIND', value: (row) => row.kind },
      { title: 'STATE', value: (row) => row.state },
      { title: 'EXPIRES', value: (row) => row.expires },
      { title: 'LAST EVENT', value: (row) => row.heard },
      { title: 'DETAIL', value: (row) => row.detail },
    ],
    'No sources.',
  );
}
