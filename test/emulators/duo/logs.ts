import { randomUUID } from 'node:crypto';
import type { Answer, Request } from '../http.js';
import { failure } from './signature.js';

/** One thing that was done, from which either log makes its own row. */
export interface Done {
  id: string;
  at: number;
  action: string;
  user: { id: string; username: string };
  /** What the user is like now, and was before; the older log tells only what is new. */
  now: Record<string, unknown>;
  before: Record<string, unknown> | null;
}

/** Neither log shows the last two minutes. */
export const settledMs = 120_000;

export function done(fields: Omit<Done, 'id'>): Done {
  return { id: randomUUID(), ...fields };
}

/** Sorted, paged by an opaque offset, and never the last two minutes (idp-events.md §5). */
export function activityLog({ query }: Request, all: readonly Done[], now: number): Answer {
  const [min, max] = [query.get('mintime'), query.get('maxtime')].map((text) => Number(text ?? Number.NaN));
  const limit = Number(query.get('limit') ?? 100);
  if (!(min !== undefined && max !== undefined && min < max)) return failure(40002, 'Invalid request parameters');
  if (!(limit >= 1 && limit <= 1_000)) return failure(40002, 'Invalid request parameters');
  const sign = query.get('sort') === 'ts:asc' ? 1 : -1;
  const fitting = all
    .filter(({ at }) => at >= min && at <= Math.min(max, now - settledMs))
    .sort((a, b) => sign * (a.at - b.at) || (a.id < b.id ? -1 : 1));
  const after = query.get('next_offset')?.split(',')[1];
  const start = after === undefined ? 0 : fitting.findIndex(({ id }) => id === after) + 1;
  const items = fitting.slice(start, start + limit);
  const last = items.at(-1);
  const next = last !== undefined && start + limit < fitting.length ? { next_offset: `${last.at},${last.id}` } : {};
  const metadata = { ...next, total_objects: { relation: 'eq', value: fitting.length } };
  return { status: 200, body: { stat: 'OK', response: { items: items.map(activityItem), metadata } } };
}

/** No pages: the thousand earliest since `mintime`. */
export function administratorLog({ query }: Request, all: readonly Done[], now: number): Answer {
  const min = Number(query.get('mintime') ?? 0);
  const rows = all
    .filter(({ at }) => Math.floor(at / 1_000) >= min && at <= now - settledMs)
    .sort((a, b) => a.at - b.at)
    .slice(0, 1_000);
  return { status: 200, body: { stat: 'OK', response: rows.map(administratorRow) } };
}

function activityItem({ id, at, action, user, now, before }: Done) {
  const target = (details: unknown) => {
    return { details: JSON.stringify(details), key: user.id, name: user.username, type: 'user' };
  };
  return {
    access_device: null,
    action: { details: null, name: action },
    activity_id: id,
    actor: { details: null, key: 'DEADMIN', name: 'Admin', type: 'admin' },
    akey: 'DAAR5FO0OZ4VYZA0WOB2',
    application: null,
    old_target: before === null ? null : target(before),
    outcome: null,
    target: target(now),
    ts: new Date(at).toISOString().replace('Z', '000+00:00'),
  };
}

function administratorRow({ at, action, user, now, before }: Done) {
  const news = Object.entries(now).filter(([key, value]) => JSON.stringify(before?.[key]) !== JSON.stringify(value));
  return {
    action,
    description: JSON.stringify(Object.fromEntries(news)),
    isotimestamp: new Date(at).toISOString().replace(/\.\d+Z/, '+00:00'),
    object: user.username,
    timestamp: Math.floor(at / 1_000),
    username: 'Admin',
  };
}
