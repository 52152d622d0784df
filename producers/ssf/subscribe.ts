import { randomBytes } from 'node:crypto';
import type { SsfSource } from '#shared/config/sources/ssf.js';
import type { StoredSubscription } from '#shared/store/subscriptions.js';
import type { SubscriptionContext, SubscriptionKeeper, SubscriptionState } from '../source.js';
import { readKept, writeKept } from './kept.js';
import { type Metadata, type Stream, StreamStatus } from './schema.js';
import { about, createStream, endpoint, findStream, methods, repairStream } from './stream.js';
import type { Transmitter } from './transmitter.js';

/** Also what keeps a stream from being paused for inactivity. */
const checkEveryMs = 60 * 60_000;
/** A working stream is asked for a sign of life once between two looks, one that is silent more often. */
const heartbeatMs = 50 * 60_000;
const askAgainMs = 30_000;
/** So long, a sign of life may take. */
const patienceMs = 5 * 60_000;
/** Between the database's clock and ours. */
const skewMs = 60_000;
const kind = 'stream';

export interface KeeperTools {
  transmitter: Transmitter;
  config: Pick<SsfSource, 'issuer' | 'audience' | 'delivery' | 'pushToken' | 'events'>;
  /** When something of the source was stored last. */
  lastEventAt(): Promise<Date | null>;
}

/** The one stream of this source at its transmitter (idp-events.md §6.2). */
export function streamKeeper({ transmitter, config, lastEventAt }: KeeperTools): SubscriptionKeeper {
  const look = async (context: SubscriptionContext, row: StoredSubscription | null, stream: Stream): Promise<Look> => ({
    stream,
    status: await statusOf(transmitter, stream.stream_id),
    metadata: await transmitter.metadata(),
    config,
    sign: signOfLife(row, await lastEventAt(), context.now),
  });

  return {
    checkEveryMs,
    async list(context) {
      const row = rowOf(context);
      const stream = await findStream(transmitter, oursIn(context, config), row?.remoteId ?? null);
      return [stream === null ? missing : judge(await look(context, row, stream))];
    },
    async ensure(context) {
      const old = rowOf(context);
      const empty = { kind, remoteId: null, resourceId: null, expiresAt: null, problem: null };
      const row = { ...empty, ...old, id: old?.id ?? (await context.save(empty)) };
      const wanted = wishOf(context, config);
      const found =
        (await findStream(transmitter, oursIn(context, config), row.remoteId)) ??
        (await createStream(transmitter, wanted));
      const stream = await repairStream(transmitter, found, wanted);
      row.remoteId = stream.stream_id;
      // So that a token for it is known as ours, whatever audience is configured here.
      row.resourceId = writeKept({ state: readKept(row.resourceId).state, audience: stream.aud ?? [] });
      await context.save(row);
      const seen = await look(context, old, stream);
      const wasOff = isOff(seen);
      if (wasOff) seen.status = await enable(transmitter, stream);
      const state = judge(seen);
      const isAnother = old !== null && old.remoteId !== null && old.remoteId !== stream.stream_id;
      const isBack = state.state === 'active' && old !== null && old.problem !== null;
      // A transmitter may drop what it does not send (idp-events.md §6.2).
      const wasAway = !isOff(seen) && (wasOff || isAnother || isBack);
      row.problem = state.state === 'active' || seen.sign === 'awaited' ? null : state.detail;
      await askForSign(transmitter, context, row, seen);
      return [{ ...state, wasAway }];
    },
    async remove(context) {
      const { configuration_endpoint } = await transmitter.metadata();
      let removed = 0;
      for (const { id, remoteId } of context.stored) {
        if (remoteId !== null && configuration_endpoint !== undefined) {
          await transmitter.call({ method: 'DELETE', url: about(configuration_endpoint, remoteId) }, [200, 204, 404]);
          removed += 1;
        }
        await context.forget(id);
      }
      return removed;
    },
  };
}

/** What is known of a stream at one moment. */
interface Look {
  stream: Stream;
  /** null: the transmitter does not tell. */
  status: StreamStatus | null;
  metadata: Metadata;
  config: KeeperTools['config'];
  sign: 'seen' | 'awaited' | 'none';
}

function isOff({ status }: Look): boolean {
  return status !== null && status.status !== 'enabled';
}

const missing: SubscriptionState = {
  kind,
  remoteId: null,
  state: 'missing',
  expiresAt: null,
  detail: 'the transmitter has no stream that sends to us',
  remedy: 'run `sendoff subscriptions ensure`',
};

function judge({ stream, status, metadata, config, sign }: Look): SubscriptionState {
  const { stream_id: remoteId, iss, aud } = stream;
  const said = (state: SubscriptionState['state'], detail: string, remedy: string): SubscriptionState => ({
    kind,
    remoteId,
    state,
    expiresAt: null,
    detail,
    remedy,
  });
  if (iss !== undefined && iss !== config.issuer) {
    return said('inactive', `its tokens come from ${iss}, so none is accepted`, `write issuer: ${iss}`);
  }
  if (aud !== undefined && !aud.some((one) => config.audience.includes(one))) {
    return said('inactive', `its tokens are for ${aud.join(', ')}, so none is accepted`, `write audience: ${aud[0]}`);
  }
  if (status !== null && status.status !== 'enabled') {
    return said(
      'inactive',
      `the transmitter has ${status.status} it: ${status.reason ?? 'no reason given'}`,
      'enable the stream at the transmitter; what was not sent meanwhile is then found by a comparison',
    );
  }
  const detail = deliveredBy(stream, config, metadata);
  if (sign === 'seen') return said('active', detail, '');
  return said(
    'unverified',
    sign === 'awaited'
      ? `a verification was asked for and has not arrived yet; ${detail}`
      : `the verification that was asked for never arrived; ${detail}`,
    config.delivery === 'push'
      ? `list it again in a minute; if it stays so, see that the transmitter reaches ${stream.delivery?.endpoint_url}`
      : 'list it again in a minute; if it stays so, see the log of the worker: it polls the stream',
  );
}

function deliveredBy({ events_delivered: delivered }: Stream, { events }: Look['config'], metadata: Metadata): string {
  const lacking = delivered === undefined ? [] : events.filter((type) => !delivered.includes(type));
  return [
    `${events.length - lacking.length} of ${events.length} event types are delivered`,
    ...(lacking.length === 0 ? [] : [`not ${lacking.map((type) => type.split('/').at(-1)).join(', ')}`]),
    ...(metadata.default_subjects === 'NONE' ? ['only for people who were added to the stream there'] : []),
  ].join('; ');
}

/** Whatever arrived since shows that keys, issuer, audience and the way to us are right. */
function signOfLife(row: StoredSubscription | null, lastEventAt: Date | null, now: Date): Look['sign'] {
  const askedAt = askedAtOf(row);
  if (row === null || askedAt === null) return 'awaited';
  const heard = lastEventAt === null ? 0 : lastEventAt.getTime() + skewMs;
  if (heard >= askedAt) return 'seen';
  const isPatient = now.getTime() - askedAt < patienceMs;
  if (isPatient && heard >= row.createdAt.getTime()) return 'seen';
  return isPatient ? 'awaited' : 'none';
}

/** The state is stored before the transmitter hears of it: what comes back must find it. */
async function askForSign(
  transmitter: Transmitter,
  context: SubscriptionContext,
  row: Parameters<SubscriptionContext['save']>[0],
  { stream, status, metadata, sign }: Look,
): Promise<void> {
  const { verification_endpoint: url } = metadata;
  const old = row.resourceId;
  const { audience } = readKept(old);
  const least = Math.max((stream.min_verification_interval ?? 0) * 1_000, sign === 'seen' ? heartbeatMs : askAgainMs);
  const askedAt = askedAtOf(row);
  const isEarly = askedAt !== null && context.now.getTime() - askedAt < least;
  const sleeps = status !== null && status.status !== 'enabled';
  const state = `${context.now.getTime().toString(36)}.${randomBytes(16).toString('base64url')}`;
  const asks = url !== undefined && !isEarly && !sleeps;
  await context.save({ ...row, resourceId: asks ? writeKept({ state, audience }) : old });
  if (!asks) return;
  const body = { stream_id: stream.stream_id, state };
  const { status: answered } = await transmitter.call({ method: 'POST', url, body }, [200, 202, 204, 429]);
  // Too early for it: nothing will come, and what was asked for before may still.
  if (answered === 429) await context.save({ ...row, resourceId: old });
}

function askedAtOf(row: Pick<StoredSubscription, 'resourceId'> | null): number | null {
  const time = Number.parseInt(readKept(row?.resourceId ?? null).state?.split('.')[0] ?? '', 36);
  return Number.isNaN(time) ? null : time;
}

async function statusOf(transmitter: Transmitter, streamId: string): Promise<StreamStatus | null> {
  const { status_endpoint: url } = await transmitter.metadata();
  if (url === undefined) return null;
  const reply = await transmitter.call({ method: 'GET', url: about(url, streamId) }, [200, 404]);
  const read = StreamStatus.safeParse(reply.body);
  return read.success ? read.data : null;
}

/** It may have been paused for our silence. Where we may not change that, it stays as it is and is reported. */
async function enable(transmitter: Transmitter, { stream_id }: Stream): Promise<StreamStatus | null> {
  const url = endpoint(await transmitter.metadata(), 'status_endpoint');
  const body = { stream_id, status: 'enabled' };
  await transmitter.call({ method: 'POST', url, body }, [200, 202, 204, 400, 403, 404, 405]);
  return statusOf(transmitter, stream_id);
}

function rowOf({ stored }: SubscriptionContext): StoredSubscription | null {
  return stored.find((one) => one.kind === kind) ?? null;
}

function oursIn({ hookUrl }: SubscriptionContext, { delivery, audience }: KeeperTools['config']) {
  return { delivery, audience, hookUrl };
}

function wishOf({ hookUrl }: SubscriptionContext, { delivery, pushToken, events }: KeeperTools['config']) {
  const [token] = pushToken ?? [];
  return {
    delivery:
      delivery === 'poll'
        ? { method: methods.poll }
        : {
            method: methods.push,
            endpoint_url: hookUrl,
            ...(token === undefined ? {} : { authorization_header: `Bearer ${token}` }),
          },
    events_requested: [...events],
  };
}
