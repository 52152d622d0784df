import type { Config } from '#shared/config/schema.js';
import type { Check } from '#shared/directory/directory.js';
import { messageOf, SendoffError } from '#shared/errors.js';
import type { Db } from '#shared/store/database.js';
import { requestReconcileOnce } from '#shared/store/reconcile-requests.js';
import {
  forgetSubscription,
  lastEventAt,
  type StoredSubscription,
  saveSubscription,
  storedSubscriptions,
} from '#shared/store/subscriptions.js';
import type { SubscriptionContext, SubscriptionKeeper, SubscriptionState } from './source.js';
import { configuredSources } from './sources.js';

export interface SourceSubscriptions {
  source: string;
  /** false: made by hand at the provider. */
  manageable: boolean;
  lastEventAt: Date | null;
  subscriptions: SubscriptionState[];
  /** Why it could not be told, or done. */
  problem: string | null;
}

/** What `list`, `ensure` and `remove` do, for every source or one. @throws SendoffError PUBLIC_URL_MISSING, SOURCE_UNKNOWN */
export async function manageSubscriptions(
  db: Db,
  config: Config,
  what: 'list' | 'ensure' | 'remove',
  only: string | undefined,
): Promise<SourceSubscriptions[]> {
  const { publicUrl } = config;
  const sources = configuredSources(config, db).filter(({ name }) => only === undefined || name === only);
  if (sources.length === 0) {
    throw new SendoffError(`the configuration has no source ${only}`, {
      code: 'SOURCE_UNKNOWN',
      blame: 'input',
      remedy: `there is ${Object.keys(config.sources).join(', ')}`,
    });
  }
  if (publicUrl === undefined && what === 'ensure') {
    throw new SendoffError('publicUrl is not configured, so no provider can be told where to send', {
      code: 'PUBLIC_URL_MISSING',
      blame: 'input',
      remedy: 'add publicUrl: https://… to sendoff.yaml: the address under which the web process is reached',
    });
  }
  const all: SourceSubscriptions[] = [];
  for (const { name, subscriptions } of sources) {
    const outcome: SourceSubscriptions = {
      source: name,
      manageable: subscriptions !== null,
      lastEventAt: await lastEventAt(db, name),
      subscriptions: [],
      problem: null,
    };
    all.push(outcome);
    if (subscriptions === null) continue;
    const context = contextOf(db, name, hookUrlOf(publicUrl ?? '', name), await storedSubscriptions(db, name));
    try {
      if (what === 'remove') await subscriptions.remove(context);
      else if (what === 'list') outcome.subscriptions = await subscriptions.list(context);
      else outcome.subscriptions = await ensureSubscriptions(db, name, subscriptions, context);
    } catch (error) {
      outcome.problem = messageOf(error);
    }
  }
  return all;
}

/** For the doctor: streams of transmitters, which no directory asks about. Those that were made by hand can't be asked about. */
export function streamChecks(db: Db, config: Config): [string, Promise<Check[]>][] {
  return configuredSources(config, db).flatMap(({ name, subscriptions }): [string, Promise<Check[]>][] => {
    if (config.sources[name]?.type !== 'ssf' || subscriptions === null) return [];
    return [[`sources.${name} stream`, checkStream(db, config, name)]];
  });
}

async function checkStream(db: Db, config: Config, source: string): Promise<Check[]> {
  const name = `sources.${source} stream`;
  const [found] = await manageSubscriptions(db, config, 'list', source);
  if (found?.problem) {
    return [{ name, ok: false, detail: found.problem, remedy: `check sources.${source}: issuer and credentials` }];
  }
  return (found?.subscriptions ?? []).map(({ state, detail, remedy }) => ({
    name,
    ok: state === 'active',
    detail: `${state}: ${detail}`,
    remedy,
  }));
}

/** As the command line and the API show it. */
export function subscriptionsDocument({ lastEventAt, subscriptions, ...source }: SourceSubscriptions) {
  return {
    ...source,
    lastEventAt: lastEventAt?.toISOString() ?? null,
    subscriptions: subscriptions.map((one) => ({ ...one, expiresAt: one.expiresAt?.toISOString() ?? null })),
  };
}

/** Creates, renews and repairs; asks for a comparison where nobody will tell what happened meanwhile. */
export async function ensureSubscriptions(
  db: Db,
  source: string,
  keeper: SubscriptionKeeper,
  context: SubscriptionContext,
): Promise<SubscriptionState[]> {
  const states = await keeper.ensure(context);
  if (states.some(({ wasAway }) => wasAway)) await requestReconcileOnce(db, `source:${source}`);
  return states.map(({ wasAway: _, ...state }) => state);
}

export function hookUrlOf(publicUrl: string, source: string): string {
  return `${publicUrl}/hooks/${source}`;
}

export function contextOf(
  db: Db,
  source: string,
  hookUrl: string,
  stored: readonly StoredSubscription[],
): SubscriptionContext {
  return {
    hookUrl,
    stored,
    save: (row) => saveSubscription(db, source, row),
    forget: (id) => forgetSubscription(db, id),
    now: new Date(),
  };
}
