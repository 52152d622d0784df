import type { NormalizedEntry } from '#shared/lifecycle/types.js';
import { CursorLost, type Page, type PollStream } from '../source.js';
import { parseJson, unreadable } from '../untrusted.js';
import { unavailable } from './http.js';
import { PollAnswer, PollCursor } from './schema.js';
import { findStream, type Ours } from './stream.js';
import type { Transmitter } from './transmitter.js';
import type { Refusal, VerifiedSet, verifySet } from './verify.js';

const maxEvents = 100;
/** What remains is asked for the next time; the cursor knows. */
const maxPages = 200;
const unsureMs = 30_000;

export interface PollTools {
  transmitter: Transmitter;
  everyMs: number;
  ours: Ours;
  /** Id of the stream that was made; null: none is known, one may have been made by hand. */
  streamId(): Promise<string | null>;
  verify(token: string): ReturnType<typeof verifySet>;
  normalize(set: VerifiedSet): NormalizedEntry;
}

/**
 * RFC 8936. The transmitter forgets what it is told was received, so it is told only after the commit: with the next
 * request, which is made when this generator is resumed, or after a crash by whoever takes up the cursor.
 */
export function pollStream(tools: PollTools): PollStream {
  const { transmitter } = tools;
  let url: string | null = null;

  const post = async (request: object): Promise<PollAnswer> => {
    url ??= await pollUrl(tools);
    const reply = await transmitter.call({ method: 'POST', url, body: request }, [200, 202, 204, 404]);
    if (reply.status === 202 || reply.status === 204) return { sets: {}, moreAvailable: false };
    if (reply.status === 404) {
      url = null;
      throw unavailable('the transmitter no longer knows where it is polled');
    }
    const read = PollAnswer.safeParse(reply.body);
    if (!read.success) throw unavailable('the transmitter answered a poll in a way that is not understood');
    return read.data;
  };

  return {
    task: 'poll',
    everyMs: tools.everyMs,
    async *pages(cursor) {
      let told = readCursor(cursor);
      for (let page = 0; page < maxPages; page += 1) {
        const { sets, moreAvailable } = await post({ maxEvents, returnImmediately: true, ...told });
        const wasToldNothing = isEmpty(told);
        const next = await pageOf(Object.entries(sets), tools);
        told = next.told;
        if (!isEmpty(told) || !wasToldNothing) yield { entries: next.entries, cursor: JSON.stringify(told) };
        if (!moreAvailable || isEmpty(told)) break;
      }
      if (isEmpty(told)) return;
      await post({ maxEvents: 0, returnImmediately: true, ...told });
      yield { entries: [], cursor: JSON.stringify(nothing) };
    },
  };
}

const nothing: PollCursor = { ack: [], setErrs: {} };

async function pageOf(
  sets: [string, unknown][],
  tools: PollTools,
): Promise<{ entries: Page['entries']; told: PollCursor }> {
  const entries: NormalizedEntry[] = [];
  const ack: string[] = [];
  const setErrs: [string, Refusal][] = [];
  for (const [jti, token] of sets) {
    const checked = await check(jti, token, tools);
    if ('err' in checked) {
      setErrs.push([jti, checked]);
      // Anything could be there, nested without end.
      const raw = typeof token === 'string' ? token : `${jti}: ${typeof token}`;
      // Its own jti is not believed: the real one may still come.
      entries.push(unreadable(raw, `${checked.err}: ${checked.description}`));
    } else {
      ack.push(jti);
      entries.push(tools.normalize(checked));
    }
  }
  return { entries, told: { ack, setErrs: Object.fromEntries(setErrs) } };
}

/** @throws WaitError when it can't be told now: then nothing of the page is stored or acknowledged, and it comes again */
async function check(jti: string, token: unknown, { verify }: PollTools): Promise<VerifiedSet | Refusal> {
  if (typeof token !== 'string') return { err: 'invalid_request', description: 'it is no text' };
  const checked = await verify(token);
  if (checked === 'unsure') throw unavailable('the transmitter’s keys were read a moment ago', undefined, unsureMs);
  if (checked === 'misconfigured') throw unavailable('its tokens are for another audience than the configured one');
  if ('err' in checked || checked.jti === jti) return checked;
  return { err: 'invalid_request', description: 'it was sent under another jti than its own' };
}

async function pollUrl({ transmitter, ours, streamId }: PollTools): Promise<string> {
  const stream = await findStream(transmitter, ours, await streamId());
  const url = stream?.delivery?.endpoint_url;
  if (url !== undefined && URL.canParse(url)) return url;
  throw unavailable('the transmitter has no stream that could be polled (make one: `sendoff subscriptions ensure`)');
}

function isEmpty({ ack, setErrs }: PollCursor): boolean {
  return ack.length === 0 && Object.keys(setErrs).length === 0;
}

function readCursor(cursor: string | null): PollCursor {
  if (cursor === null) return nothing;
  const read = PollCursor.safeParse(parseJson(cursor));
  if (!read.success) throw new CursorLost('the cursor is none of this source');
  return read.data;
}
