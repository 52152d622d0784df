import { randomUUID } from 'node:crypto';
import type { Answer, Request } from '../http.js';
import { invalid } from './answers.js';
import { type LogEventSeed, logEvent } from './hook.js';

export type Recorded = LogEventSeed & { uuid: string; published: string };

export interface SystemLog {
  /** Writes an event down, as the newest whatever its `published` says. */
  record(seed: LogEventSeed): Recorded;
  /** Writes down what no LogEvent looks like. */
  recordRaw(eventType: string, body: unknown): void;
  /** Every link given so far is refused from now on. */
  expireLinks(): void;
  answer(request: Request): Answer;
}

interface Entry {
  eventType: string;
  persistedAt: number;
  published: string;
  body(): unknown;
}

const day = 24 * 3_600_000;

/**
 * A request without `until` goes by the order in which events were written down, and its `next` is always there; one with
 * `until` goes by `published` and ends (idp-events.md §1.5).
 */
export function createSystemLog(url: () => string): SystemLog {
  const entries: Entry[] = [];
  let generation = 1;

  const polled = (query: URLSearchParams, fits: (entry: Entry) => boolean, limit: number): Answer => {
    const after = query.get('after');
    const [made, from] = after === null ? [generation, startOf(entries, query)] : after.split('_').map(Number);
    if (made !== generation || from === undefined) return invalid('E0000053', 'Invalid parameter: after');
    const found: Entry[] = [];
    let at = from;
    for (; at < entries.length && found.length < limit; at += 1) {
      const entry = entries[at];
      if (entry !== undefined && fits(entry)) found.push(entry);
    }
    const next = new URLSearchParams(query);
    next.delete('since');
    next.set('after', `${generation}_${at}`);
    const self = `<${url()}/api/v1/logs?${query}>; rel="self"`;
    return {
      status: 200,
      body: found.map((entry) => entry.body()),
      headers: { link: `${self}, <${url()}/api/v1/logs?${next}>; rel="next"` },
    };
  };

  return {
    record(seed) {
      const event = { ...seed, uuid: seed.uuid ?? randomUUID(), published: seed.published ?? new Date().toISOString() };
      const { eventType, published } = event;
      entries.push({ eventType, published, persistedAt: Date.now(), body: () => logEvent(event) });
      return event;
    },
    recordRaw(eventType, body) {
      const published = new Date().toISOString();
      entries.push({ eventType, published, persistedAt: Date.now(), body: () => body });
    },
    expireLinks() {
      generation += 1;
    },
    answer({ query }) {
      const problem = problemOf(query);
      if (problem !== null) return invalid('E0000053', problem);
      const wanted = filterOf(query.get('filter'));
      if (wanted === null) return invalid('E0000053', `Invalid filter '${query.get('filter')}'`);
      const limit = Number(query.get('limit') ?? 100);
      const until = query.get('until');
      if (until === null) return polled(query, wanted, limit);
      const [from, to] = [Date.parse(query.get('since') ?? '') || Date.parse(until) - 7 * day, Date.parse(until)];
      const found = entries
        .filter(({ published }) => Date.parse(published) >= from && Date.parse(published) < to)
        .filter(wanted)
        .sort((a, b) => Date.parse(a.published) - Date.parse(b.published));
      return { status: 200, body: found.slice(0, limit).map((entry) => entry.body()) };
    },
  };
}

function startOf(entries: Entry[], query: URLSearchParams): number {
  const since = Date.parse(query.get('since') ?? '') || Date.now() - 7 * day;
  const start = entries.findIndex(({ persistedAt }) => persistedAt >= since);
  return start === -1 ? entries.length : start;
}

function problemOf(query: URLSearchParams): string | null {
  const limit = Number(query.get('limit') ?? 100);
  const since = query.get('since');
  if (!Number.isInteger(limit) || limit < 0 || limit > 1_000) return 'Invalid parameter: limit';
  if (since !== null && query.has('after')) return 'Invalid parameter: since and after exclude each other';
  if (since !== null && Number.isNaN(Date.parse(since))) return "'since': must be a valid date-time or empty.";
  if (since !== null && Date.parse(since) < Date.now() - 180 * day) {
    return 'Invalid parameter: The since parameter is over 180 days prior to the current day.';
  }
  return (query.get('sortOrder') ?? 'ASCENDING') === 'ASCENDING' ? null : 'the emulator lists nothing backwards';
}

/** `eventType eq "a" or eventType sw "b"`; null: not understood. */
function filterOf(text: string | null): ((entry: Entry) => boolean) | null {
  if (text === null) return () => true;
  const terms = text.split(' or ').map((term) => /^eventType (eq|sw) "([^"]+)"$/.exec(term));
  if (terms.includes(null)) return null;
  return ({ eventType }) =>
    terms.some((term) => (term?.[1] === 'eq' ? eventType === term[2] : eventType.startsWith(term?.[2] ?? '\0')));
}
