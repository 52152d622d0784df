import { createHash, randomUUID } from 'node:crypto';
import type { GoogleClient } from '#shared/directory/google/client.js';
import { GoogleUnavailable } from '#shared/directory/google/failure.js';
import { messageOf } from '#shared/errors.js';
import type { StoredSubscription } from '#shared/store/subscriptions.js';
import type { SubscriptionContext, SubscriptionKeeper, SubscriptionState } from '../source.js';

const minuteMs = 60_000;
/** Six hours are the longest that Google gives, and it renews none (idp-events.md §3.1). */
const lifeMs = 6 * 60 * minuteMs;
/** A channel is replaced past half of its life. */
const renewAt = 0.5;
/** Both send for so long: what was under way on the old one still arrives. */
const overlapMs = 5 * minuteMs;
const checkEveryMs = 10 * minuteMs;

/** One channel for everything, or, should Google insist on naming the event, one for each that matters. */
const all = 'users';
const each = ['add', 'delete', 'undelete', 'update'].map((event) => `${all}.${event}`);

type Row = StoredSubscription;

/** There is no list of open channels at Google: what is not stored here before it is opened is an orphan until it ends. */
export function channelKeeper(client: GoogleClient, token: string): SubscriptionKeeper {
  return {
    checkEveryMs,
    list: async (context) => kindsOf(context).map((kind) => stateOf(kind, context)),
    async ensure(context) {
      const [first = all, ...others] = kindsOf(context);
      try {
        const states = [await ensureKind(first, context)];
        for (const kind of others) states.push(await ensureKind(kind, context));
        await forgetEnded(context);
        return states;
      } catch (error) {
        // "Bad request": it wants an event named, so each gets a channel of its own.
        if (first !== all || !isStatus(error, 400)) return kindsOf(context).map((kind) => failed(kind, context, error));
      }
      try {
        const states: SubscriptionState[] = [];
        for (const kind of each) states.push(await ensureKind(kind, context));
        await forgetEnded(context);
        return states;
      } catch (error) {
        return [failed(all, context, error)];
      }
    },
    async remove(context) {
      for (const row of context.stored) await stop(row, context);
      return context.stored.length;
    },
  };

  async function ensureKind(kind: string, context: SubscriptionContext): Promise<SubscriptionState> {
    const rows = openRows(kind, context).filter(({ resourceId }) => resourceId !== null);
    const newest = rows.find((row) => leadsTo(row, context.hookUrl));
    if (newest === undefined || context.now.getTime() >= renewalOf(newest)) {
      return active(kind, await open(kind, context));
    }
    if (context.now.getTime() >= newest.createdAt.getTime() + overlapMs) {
      for (const row of rows) if (row !== newest) await stop(row, context);
    }
    return active(kind, newest);
  }

  /** Its row is stored first: Google may send `sync` before it answers, and a crash must not leave an orphan behind. */
  async function open(kind: string, context: SubscriptionContext): Promise<Row> {
    const channel = randomUUID();
    const latest = new Date(context.now.getTime() + lifeMs);
    const row = { kind, remoteId: channel, resourceId: null, expiresAt: latest, problem: unanswered };
    const id = await context.save(row);
    try {
      const event = kind === all ? null : kind.slice(all.length + 1);
      const { resourceId: resource, expiration } = await client.watchUsers({
        event,
        id: channel,
        address: context.hookUrl,
        token,
        ttlSeconds: lifeMs / 1_000,
      });
      const resourceId = `${resource} ${markOf(context.hookUrl)}`;
      const opened = { ...row, resourceId, expiresAt: expiration ? new Date(expiration) : latest, problem: null };
      await context.save({ ...opened, id });
      return { ...opened, id, source: '', createdAt: context.now };
    } catch (error) {
      // A clear refusal opened nothing. Without an answer it may be open: its row stays until it would have ended.
      if (isRefusal(error)) await context.forget(id);
      throw error;
    }
  }

  async function stop(row: Row, context: SubscriptionContext): Promise<void> {
    if (row.remoteId !== null && row.resourceId !== null && isOpen(row, context.now)) {
      await client.stopChannel(row.remoteId, resourceOf(row.resourceId)).catch((error: unknown) => {
        // Not there any more is what was wanted.
        if (!isStatus(error, 404)) throw error;
      });
    }
    await context.forget(row.id);
  }
}

/** Only once others are open: a source without any row is one for which nobody asked, and would be left alone. */
async function forgetEnded({ stored, forget, now }: SubscriptionContext): Promise<void> {
  for (const row of stored) if (!isOpen(row, now)) await forget(row.id);
}

/** Google does not tell where a channel leads: a mark of the address is kept behind Google's own id of what is watched. */
function markOf(hookUrl: string): string {
  return createHash('sha256').update(hookUrl).digest('base64url').slice(0, 12);
}

function resourceOf(kept: string): string {
  return kept.split(' ')[0] ?? '';
}

function leadsTo({ resourceId }: Row, hookUrl: string): boolean {
  return resourceId?.split(' ')[1] === markOf(hookUrl);
}

const unanswered = 'Google did not answer when it was opened';
const remedy = 'run `sendoff subscriptions ensure`; `sendoff doctor` names what it lacks';

/** Channels for single events exist only where one for all was refused. */
function kindsOf({ stored, now }: SubscriptionContext): string[] {
  const isSplit = stored.some((row) => each.includes(row.kind) && isOpen(row, now));
  return isSplit ? each : [all];
}

/** Newest first. */
function openRows(kind: string, { stored, now }: SubscriptionContext): Row[] {
  return stored
    .filter((row) => row.kind === kind && isOpen(row, now))
    .sort((a, b) => b.createdAt.getTime() - a.createdAt.getTime());
}

function isOpen({ expiresAt }: Row, now: Date): boolean {
  return expiresAt !== null && expiresAt > now;
}

function renewalOf({ createdAt, expiresAt }: Row): number {
  return createdAt.getTime() + ((expiresAt?.getTime() ?? 0) - createdAt.getTime()) * renewAt;
}

function stateOf(kind: string, context: SubscriptionContext): SubscriptionState {
  const rows = openRows(kind, context);
  const working = rows.filter(({ resourceId }) => resourceId !== null);
  const ours = working.find((row) => leadsTo(row, context.hookUrl));
  if (ours !== undefined) return active(kind, ours);
  if (working[0] !== undefined) {
    const { remoteId, expiresAt } = working[0];
    return { kind, remoteId, state: 'inactive', expiresAt, detail: 'the channel leads to another address', remedy };
  }
  const [pending] = rows;
  if (pending !== undefined) {
    const { remoteId, expiresAt } = pending;
    return { kind, remoteId, state: 'unverified', expiresAt, detail: unanswered, remedy };
  }
  const ended = context.stored.filter((row) => row.kind === kind).at(-1);
  if (ended === undefined) return missing(kind, 'no channel is open');
  const { remoteId, expiresAt } = ended;
  return { kind, remoteId, state: 'expired', expiresAt, detail: 'the channel ended and was not replaced', remedy };
}

function active(kind: string, { remoteId, expiresAt }: Row): SubscriptionState {
  return { kind, remoteId, state: 'active', expiresAt, detail: 'the channel is open', remedy: '' };
}

/** The old one may still be good for a while; that it could not be replaced has to be seen before it ends. */
function failed(kind: string, context: SubscriptionContext, error: unknown): SubscriptionState {
  const last = stateOf(kind, context);
  const state = last.state === 'active' ? 'inactive' : last.state;
  return { ...last, state, detail: messageOf(error), remedy };
}

function missing(kind: string, detail: string): SubscriptionState {
  return { kind, remoteId: null, state: 'missing', expiresAt: null, detail, remedy };
}

function isRefusal(error: unknown): boolean {
  const status = error instanceof GoogleUnavailable ? error.status : null;
  return status !== null && status >= 400 && status < 500;
}

function isStatus(error: unknown, status: number): boolean {
  return error instanceof GoogleUnavailable && error.status === status;
}
