import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { EntraSource } from '#shared/config/sources/entra.js';
import { type GraphClient, graphStatus } from '#shared/directory/entra/client.js';
import { messageOf } from '#shared/errors.js';
import type { StoredSubscription } from '#shared/store/subscriptions.js';
import type { SubscriptionContext, SubscriptionKeeper, SubscriptionState } from '../source.js';

/** A subscription can vanish in silence (idp-events.md §2.3): only listing them tells. */
const checkEveryMs = 6 * 3_600_000;
/** 41,760 minutes are the most that Graph grants; an hour less allows for its clock. */
const lifeMs = (41_760 - 60) * 60_000;
/** Renewing also reauthorizes, and costs one request a day. */
const renewAfterMs = 24 * 3_600_000;

/** One for all users and one for all groups: a tenant grants an app a hundred. */
const permissions = { users: 'User.Read.All', groups: 'Group.Read.All' };
type Kind = keyof typeof permissions;
const kinds = Object.keys(permissions) as Kind[];

const Remote = z.object({
  id: z.string().min(1),
  resource: z.string(),
  changeType: z.string().nullish(),
  notificationUrl: z.string().nullish(),
  lifecycleNotificationUrl: z.string().nullish(),
  expirationDateTime: z.string(),
});
type Remote = z.infer<typeof Remote>;

/** Graph's change notifications on users and groups. */
export function subscriptionKeeper(graph: GraphClient, { clientState }: EntraSource): SubscriptionKeeper {
  const [secret = ''] = clientState;
  const keeper = { graph, secret, mark: markOf(secret) };
  return {
    checkEveryMs,
    async list(context) {
      const remote = await allRemote(graph);
      return kinds.map((kind) => {
        const row = context.stored.find((one) => one.kind === kind);
        const there = remote.find(({ id }) => id === row?.remoteId);
        return stateOf(kind, row, there, whyUnfit(keeper, context, row, there));
      });
    },
    async ensure(context) {
      const remote = await allRemote(graph);
      const states: SubscriptionState[] = [];
      for (const kind of kinds) states.push(await ensureOne(keeper, context, kind, remote));
      return states;
    },
    async remove(context) {
      const remote = await allRemote(graph);
      const ids = new Set(remote.filter((one) => isSentTo(one, context.hookUrl)).map(({ id }) => id));
      for (const { remoteId } of context.stored) if (remoteId !== null) ids.add(remoteId);
      let removed = 0;
      for (const id of ids) if ((await graph.send('DELETE', subscriptionPath(id))) !== null) removed += 1;
      for (const { id } of context.stored) await context.forget(id);
      return removed;
    },
  };
}

interface Keeper {
  graph: GraphClient;
  secret: string;
  /** What the rows say of the secret that a subscription was made with. */
  mark: string;
}

/** Keeps, renews, or makes anew; the new one is there before the old one goes. */
async function ensureOne(
  keeper: Keeper,
  context: SubscriptionContext,
  kind: Kind,
  remote: readonly Remote[],
): Promise<SubscriptionState> {
  const rows = context.stored.filter((row) => row.kind === kind);
  const pairs = rows.map((row) => ({ row, there: remote.find(({ id }) => id === row.remoteId) }));
  const kept = pairs.find(({ row, there }) => whyUnfit(keeper, context, row, there) === null);
  const { rowId, state } =
    kept?.there === undefined
      ? await create(keeper, context, kind, rows)
      : await renew(keeper, context, kind, kept.row, kept.there);
  if (state.state !== 'active') return state;
  // Whatever else of this kind is sent here would bring everything twice, or what is believed no more.
  for (const one of remote) {
    const isOurs = isSentTo(one, context.hookUrl) || rows.some(({ remoteId }) => remoteId === one.id);
    if (isOurs && kindOf(one) === kind && one.id !== state.remoteId) {
      await keeper.graph.send('DELETE', subscriptionPath(one.id));
    }
  }
  for (const { id } of rows) if (id !== rowId) await context.forget(id);
  return state;
}

/** The row comes first: Graph may send before it answers, and what is not known is not believed. */
async function create(
  { graph, secret, mark }: Keeper,
  context: SubscriptionContext,
  kind: Kind,
  rows: readonly StoredSubscription[],
): Promise<{ rowId: string; state: SubscriptionState }> {
  const pending = rows.find(({ remoteId }) => remoteId === null);
  const row = {
    ...(pending === undefined ? {} : { id: pending.id }),
    kind,
    remoteId: null,
    resourceId: mark,
    expiresAt: null,
    problem: null,
  };
  const rowId = await context.save(row);
  try {
    const made = await graph.send('POST', '/subscriptions', {
      changeType: 'updated,deleted',
      resource: kind,
      notificationUrl: context.hookUrl,
      lifecycleNotificationUrl: lifecycleUrl(context.hookUrl),
      expirationDateTime: new Date(context.now.getTime() + lifeMs).toISOString(),
      clientState: secret,
      latestSupportedTlsVersion: 'v1_2',
    });
    const { id, expirationDateTime } = Remote.parse(made);
    const expiresAt = new Date(expirationDateTime);
    await context.save({ ...row, id: rowId, remoteId: id, expiresAt });
    return { rowId, state: active(kind, id, expiresAt) };
  } catch (error) {
    const problem = messageOf(error);
    await context.save({ ...row, id: rowId, problem });
    const { status } = graphStatus(error);
    // Throttled or away: the task waits as long as it was asked to.
    if (status === null || status === 429 || status >= 500) throw error;
    const remedy = remedyFor(status, kind, context.hookUrl);
    return { rowId, state: { kind, remoteId: null, state: 'missing', expiresAt: null, detail: problem, remedy } };
  }
}

async function renew(
  keeper: Keeper,
  context: SubscriptionContext,
  kind: Kind,
  row: StoredSubscription,
  there: Remote,
): Promise<{ rowId: string; state: SubscriptionState }> {
  let expiresAt = new Date(there.expirationDateTime);
  if (expiresAt.getTime() - context.now.getTime() < lifeMs - renewAfterMs) {
    const wanted = new Date(context.now.getTime() + lifeMs).toISOString();
    const renewed = await keeper.graph.send('PATCH', subscriptionPath(there.id), { expirationDateTime: wanted });
    // It went between the list and now.
    if (renewed === null) return create(keeper, context, kind, []);
    expiresAt = new Date(Remote.parse(renewed).expirationDateTime);
  }
  await context.save({ id: row.id, kind, remoteId: there.id, resourceId: keeper.mark, expiresAt, problem: null });
  return { rowId: row.id, state: active(kind, there.id, expiresAt) };
}

/** Why it cannot stay as it is; null: it can. Secret and addresses of a subscription cannot be changed. */
function whyUnfit(
  { mark }: Keeper,
  { hookUrl, now }: SubscriptionContext,
  row: StoredSubscription | undefined,
  there: Remote | undefined,
): string | null {
  if (row === undefined) return 'was never created';
  if (there === undefined) return row.problem ?? 'is gone from Graph';
  if (Date.parse(there.expirationDateTime) <= now.getTime()) return 'has expired';
  if (!isSentTo(there, hookUrl)) return `sends to another address (${there.notificationUrl})`;
  if (there.changeType?.split(',').sort().join() !== 'deleted,updated') return 'is about other changes';
  return row.resourceId === mark ? null : 'carries a clientState that is not the first one configured';
}

function stateOf(
  kind: Kind,
  row: StoredSubscription | undefined,
  there: Remote | undefined,
  unfit: string | null,
): SubscriptionState {
  if (there !== undefined && unfit === null) return active(kind, there.id, new Date(there.expirationDateTime));
  const expiresAt = there === undefined ? (row?.expiresAt ?? null) : new Date(there.expirationDateTime);
  const state = there === undefined ? 'missing' : unfit === 'has expired' ? 'expired' : 'inactive';
  const remedy = 'run `sendoff subscriptions ensure`';
  return { kind, remoteId: row?.remoteId ?? null, state, expiresAt, detail: unfit ?? '', remedy };
}

function active(kind: Kind, remoteId: string, expiresAt: Date): SubscriptionState {
  return { kind, remoteId, state: 'active', expiresAt, detail: 'updated, deleted', remedy: '' };
}

function remedyFor(status: number, kind: Kind, hookUrl: string): string {
  if (status === 403) {
    return `grant the app registration the application permission ${permissions[kind]} of Microsoft Graph, with admin consent; if the message names a limit, remove other subscriptions of the tenant`;
  }
  return `Graph must reach ${hookUrl} and ${lifecycleUrl(hookUrl)} by https from the internet while it creates the subscription: start the web process and check publicUrl`;
}

async function allRemote(graph: GraphClient): Promise<Remote[]> {
  return (await graph.list('/subscriptions')).map((item) => Remote.parse(item));
}

function kindOf({ resource }: Remote): Kind | undefined {
  const noun = resource.replace(/^\//, '').toLowerCase();
  return kinds.find((kind) => kind === noun);
}

function isSentTo({ notificationUrl, lifecycleNotificationUrl }: Remote, hookUrl: string): boolean {
  return notificationUrl === hookUrl && (lifecycleNotificationUrl ?? lifecycleUrl(hookUrl)) === lifecycleUrl(hookUrl);
}

function lifecycleUrl(hookUrl: string): string {
  return `${hookUrl}/lifecycle`;
}

function subscriptionPath(id: string): string {
  return `/subscriptions/${encodeURIComponent(id)}`;
}

/** Enough to tell two secrets apart and too little to guess one by. */
function markOf(secret: string): string {
  return createHash('sha256').update(`clientState ${secret}`).digest('hex').slice(0, 8);
}
