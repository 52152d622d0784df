import Fastify from 'fastify';
import { afterEach, describe, expect, it } from 'vitest';
import type { NormalizedEntry } from '#shared/lifecycle/types.js';
import { registerHooks } from './receive.js';
import type { PushSource, Verdict } from './source.js';

// What a sender is answered, and when a row is kept: the statuses decide whether it ever comes again.

describe('producers/receive', () => {
  let close: () => Promise<unknown>;
  afterEach(() => close());

  const entry: NormalizedEntry = {
    eventId: 'e1',
    occurredAt: null,
    raw: '{}',
    senderType: 'x',
    outcome: 'event',
    type: 'moved',
    person: { directoryId: '1', email: null },
  };

  async function open({
    verify = (): Verdict | Promise<Verdict> => ({ ok: true }),
    store = async () => ({ stored: 1, duplicates: 0 }),
    more = {},
  }: {
    verify?: PushSource['verify'];
    store?: () => Promise<{ stored: number; duplicates: number }>;
    more?: Partial<PushSource>;
  } = {}) {
    const seen = { stored: 0, nudged: 0, errors: [] as string[], refused: [] as string[], answered: [] as string[] };
    const app = Fastify({ bodyLimit: 1_048_576 });
    registerHooks(app, {
      sources: [{ name: 'idp', polls: [], subscriptions: null, push: { verify, normalize: () => [entry], ...more } }],
      db: null as never,
      intake: {
        async store() {
          const result = await store();
          seen.stored += 1;
          return result;
        },
      },
      nudge: () => {
        seen.nudged += 1;
      },
      counts: {
        refused: (source) => seen.refused.push(source),
        answered: (source, status) => seen.answered.push(`${source} ${status}`),
      },
      log: { debug: () => undefined, error: (_: unknown, text: string) => seen.errors.push(text) } as never,
    });
    close = () => app.close();
    const post = async (path = '/hooks/idp', headers: Record<string, string> = {}) => {
      const answer = await app.inject({
        method: 'POST',
        url: path,
        payload: 'x',
        headers: { 'content-type': 'a/b', ...headers },
      });
      return { status: answer.statusCode, retryAfter: answer.headers['retry-after'], body: answer.body };
    };
    return { seen, post };
  }

  it('2xx only once it is stored; then whoever plans is told', async () => {
    const { seen, post } = await open();
    expect(await post()).toMatchObject({ status: 204 });
    expect(seen).toMatchObject({ stored: 1, nudged: 1, answered: ['idp 204'] });
  });

  it('503 when it could not be stored, and nobody is told', async () => {
    const { seen, post } = await open({ store: () => Promise.reject(new Error('the database is away')) });
    expect(await post()).toMatchObject({ status: 503, retryAfter: '5' });
    expect(seen).toMatchObject({ nudged: 0, answered: ['idp 503'] });
    expect(seen.errors).toHaveLength(1);
  });

  it('503 instead of silence, however long the database takes', async () => {
    const { post } = await open({ store: () => new Promise(() => undefined) });
    expect(await post()).toMatchObject({ status: 503 });
  });

  it('503 and an error in the log, never a 4xx, for what is our own fault: Okta would not send it again', async () => {
    const { seen, post } = await open({ verify: () => ({ ok: false, why: 'misconfigured' }) });
    expect(await post()).toMatchObject({ status: 503, retryAfter: '5' });
    expect(seen.errors).toEqual([expect.stringContaining('secret is not configured')]);
    expect(seen).toMatchObject({ stored: 0, refused: [] });
  });

  it.each<[string, PushSource['verify']]>([
    ['cannot tell now', () => ({ ok: false, why: 'unavailable' })],
    [
      'breaks',
      () => {
        throw new Error('no keys');
      },
    ],
    ['fails', () => Promise.reject(new Error('no keys'))],
    ['takes for ever', () => new Promise(() => undefined)],
  ])('503 when the check of it %s', async (_, verify) => {
    const { seen, post } = await open({ verify });
    expect(await post()).toMatchObject({ status: 503, retryAfter: '5' });
    expect(seen.stored).toBe(0);
  });

  it('the same empty 401 for a wrong secret and for a source that there is not; both are counted', async () => {
    const { seen, post } = await open({ verify: () => ({ ok: false, why: 'unauthenticated' }) });
    const wrong = await post();
    expect(wrong).toMatchObject({ status: 401, body: '' });
    expect(await post('/hooks/nobody')).toEqual(wrong);
    expect(await post('/hooks/__proto__')).toEqual(wrong);
    expect(seen).toMatchObject({ stored: 0, refused: ['idp', 'unknown', 'unknown'] });
  });

  it('202 and no row for what is discarded, as from somebody who would repeat it for hours', async () => {
    const { seen, post } = await open({ verify: () => ({ ok: false, why: 'discarded' }) });
    expect(await post()).toMatchObject({ status: 202, body: '' });
    expect(seen).toMatchObject({ stored: 0, nudged: 0, refused: ['idp'] });
  });

  it('415 for a body that would have to be unpacked first', async () => {
    const { seen, post } = await open();
    expect(await post('/hooks/idp', { 'content-encoding': 'gzip' })).toMatchObject({ status: 415 });
    expect(seen.stored).toBe(0);
  });

  it('the bytes are checked before anything in them is read, whatever they are called', async () => {
    const bodies: string[] = [];
    const { post } = await open({
      verify: ({ body }) => {
        bodies.push(body.toString());
        return { ok: true };
      },
    });
    for (const type of ['application/json', 'application/json; utf-8', 'text/plain', 'x/y']) {
      expect(await post('/hooks/idp', { 'content-type': type })).toMatchObject({ status: 204 });
    }
    expect(bodies).toEqual(['x', 'x', 'x', 'x']);
  });

  it('a handshake is answered by the method that the protocol says, and by no other', async () => {
    const handshake = () => ({ status: 200, headers: { 'content-type': 'text/plain' }, body: 'token' });
    const { seen, post } = await open({ more: { handshake, handshakeBy: 'POST' } });
    expect(await post()).toMatchObject({ status: 200, body: 'token' });
    expect(seen.stored).toBe(0);
    await close();
    const byGet = await open({ more: { handshake } });
    expect(await byGet.post()).toMatchObject({ status: 204 });
  });
});
