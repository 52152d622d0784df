import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WaitError } from '#shared/errors.js';
import type { StoredSubscription } from '#shared/store/subscriptions.js';
import { createSigningKey, type SsfEmulator, signSet, startSsfEmulator } from '#test/emulators/ssf/index.js';
import type { EmulatedStream } from '#test/emulators/ssf/streams.js';
import { CursorLost, type Page, type PollStream } from '../source.js';
import { ssfSource } from './index.js';

const headers = { authorization: 'Bearer ssf-emulator-token', 'content-type': 'application/json' };
const seed = { type: 'risc/event-type/account-disabled', subject: { format: 'email', email: 'jane@acme.com' } };

let ssf: SsfEmulator;
let stream: EmulatedStream;
let poll: PollStream;
beforeEach(async () => {
  ssf = await startSsfEmulator();
  const body = JSON.stringify({ delivery: { method: 'urn:ietf:rfc:8936' } });
  await fetch(`${ssf.url}/ssf/stream`, { method: 'POST', headers, body });
  stream = [...ssf.streams.values()][0] as EmulatedStream;
  poll = source().polls[0] as PollStream;
});
afterEach(() => ssf.close());

const source = (more: { audience?: string[] } = {}, rows: Partial<StoredSubscription>[] = []) =>
  ssfSource(
    'ssf',
    {
      type: 'ssf',
      issuer: ssf.url,
      audience: [ssf.audience],
      token: 'ssf-emulator-token',
      delivery: 'poll',
      events: [`https://schemas.openid.net/secevent/${seed.type}`],
      poll: 60_000,
      ...more,
    },
    { subscriptions: async () => rows as StoredSubscription[], lastEventAt: async () => null },
  );

async function all(cursor: string | null = null): Promise<Page[]> {
  const pages: Page[] = [];
  for await (const page of poll.pages(cursor)) pages.push(page);
  return pages;
}
const jtisOf = (pages: Page[]) => pages.flatMap(({ entries }) => entries.map(({ eventId }) => eventId.split(' ')[1]));
const asks = () => ssf.requests.filter(({ path }) => path.includes('/poll/')).map(({ body }) => body);

describe('producers/ssf/poll', () => {
  it('acknowledges nothing before the page is committed, and everything after', async () => {
    await ssf.emit({ ...seed, jti: 'j1' });
    const pages = poll.pages(null);
    const first = await pages.next();
    expect(first.value?.entries).toMatchObject([{ outcome: 'event', type: 'suspended', eventId: `${ssf.url} j1` }]);
    expect([...stream.unacked.keys()]).toEqual(['j1']);
    await pages.next();
    expect(stream.acked).toEqual(['j1']);
    expect(asks().at(-1)).toEqual({ maxEvents: 0, returnImmediately: true, ack: ['j1'], setErrs: {} });
  });

  it('killed between commit and acknowledgement: who takes up the cursor acknowledges', async () => {
    await ssf.emit({ ...seed, jti: 'j1' });
    const first = await poll.pages(null).next();
    await ssf.emit({ ...seed, jti: 'j2' });
    expect(jtisOf(await all(first.value.cursor))).toEqual(['j2']);
    expect(stream.acked).toEqual(['j1', 'j2']);
  });

  it('killed before the commit: everything comes again', async () => {
    await ssf.emit({ ...seed, jti: 'j1' });
    await poll.pages(null).next();
    expect(jtisOf(await all(null))).toEqual(['j1']);
  });

  it('goes on while there is more, each page acknowledged with the next question', async () => {
    for (let i = 0; i < 250; i += 1) stream.put(await ssf.sign({ ...seed, jti: `j${i}` }));
    const pages = await all();
    expect(jtisOf(pages)).toHaveLength(250);
    expect(stream.acked).toHaveLength(250);
    expect(stream.unacked.size).toBe(0);
    expect(pages.at(-1)?.cursor).toBe(JSON.stringify({ ack: [], setErrs: {} }));
    expect(asks()).toHaveLength(4);
  });

  it('a quiet stream costs one question and no row', async () => {
    expect(await all()).toEqual([]);
    expect(asks()).toHaveLength(1);
  });

  it.each<[string, string, () => Promise<string>]>([
    ['forged', 'invalid_key', async () => signSet(ssf.claims(seed), await createSigningKey('key-1'))],
    ['of another issuer', 'invalid_issuer', () => ssf.sign({ ...seed, claims: { iss: 'https://evil.example.com' } })],
    [
      'for somebody else',
      'invalid_audience',
      () => ssf.sign({ ...seed, claims: { aud: 'https://other.example.com' } }),
    ],
    ['under another jti', 'invalid_request', () => ssf.sign({ ...seed, jti: 'other' })],
    ['unreadable', 'invalid_request', async () => 'nonsense'],
  ])('a SET that is %s is reported to the transmitter, shown, and spoils no other', async (_, err, make) => {
    stream.unacked.set('bad', await make());
    await ssf.emit({ ...seed, jti: 'good' });
    const [page] = await all();
    expect(page?.entries).toMatchObject([
      { outcome: 'quarantined', eventId: expect.stringMatching(/^sha256:/), reason: expect.stringContaining(err) },
      { outcome: 'event', eventId: `${ssf.url} good` },
    ]);
    expect(stream.setErrs).toEqual({ bad: { err, description: expect.any(String) } });
    expect(stream.acked).toEqual(['good']);
  });

  it('while the keys can’t be read nothing is stored, acknowledged or refused', async () => {
    await ssf.emit({ ...seed, jti: 'j1' });
    ssf.fault = { path: '/jwks.json', answer: { status: 500 } };
    await expect(all()).rejects.toThrow(WaitError);
    expect([stream.acked, stream.setErrs]).toEqual([[], {}]);
    ssf.fault = null;
    poll = source().polls[0] as PollStream;
    expect(jtisOf(await all())).toEqual(['j1']);
  });

  it('while another audience is configured than the stream has, nothing is stored, acknowledged or refused', async () => {
    await ssf.emit({ ...seed, jti: 'j1' });
    const rows = [{ remoteId: stream.stream_id, resourceId: `x.y ${encodeURIComponent(ssf.audience)}` }];
    poll = source({ audience: ['https://a-guess.example.com'] }, rows).polls[0] as PollStream;
    await expect(all()).rejects.toThrow('another audience');
    expect([stream.acked, stream.setErrs]).toEqual([[], {}]);
    poll = source({}, rows).polls[0] as PollStream;
    expect(jtisOf(await all())).toEqual(['j1']);
  });

  it('throttled, it waits as long as it is told', async () => {
    await all();
    ssf.fault = { path: '/ssf/poll', answer: { status: 429, headers: { 'retry-after': '77' } } };
    await expect(all()).rejects.toMatchObject({ delayMs: 77_000, code: 'SSF_UNAVAILABLE' });
  });

  it.each([
    [401, 'not known'],
    [403, 'ssf.manage ssf.read'],
  ])('HTTP %d says what is lacking, and never the token', async (status, said) => {
    ssf.fault = { path: '/ssf/', answer: { status } };
    const error = await all().catch(String);
    expect(error).toContain(said);
    expect(error).not.toContain('ssf-emulator-token');
  });

  it.each([
    [{ status: 302, headers: { location: 'http://127.0.0.1:1/' } }],
    [{ status: 200, body: [] }],
    [{ status: 200, body: '<html>' }],
  ])('an answer like %j is no empty stream', async (answer) => {
    await all();
    ssf.fault = { path: '/ssf/poll', answer };
    await expect(all()).rejects.toThrow(WaitError);
  });

  it('never sends the token to another host than the issuer’s, unless that is configured', async () => {
    stream.delivery.endpoint_url = 'https://evil.example.com/poll';
    await expect(all()).rejects.toMatchObject({
      code: 'SSF_MISCONFIGURED',
      message: expect.stringContaining('apiUrl'),
    });
  });

  it('without a stream says how to get one', async () => {
    ssf.streams.clear();
    await expect(all()).rejects.toThrow('sendoff subscriptions ensure');
  });

  it('a cursor that is none of its own is lost, not obeyed', async () => {
    await expect(all('{"since":1}')).rejects.toThrow(CursorLost);
    await expect(all('https://idp.example.com/poll?after=1')).rejects.toThrow(CursorLost);
  });
});
