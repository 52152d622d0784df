import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SsfSource } from '#shared/config/sources/ssf.js';
import type { StoredSubscription } from '#shared/store/subscriptions.js';
import { eventTypes, type SsfEmulator, startSsfEmulator } from '#test/emulators/ssf/index.js';
import type { SubscriptionContext, SubscriptionKeeper } from '../source.js';
import { streamKeeper } from './subscribe.js';
import { createTransmitter } from './transmitter.js';

const hookUrl = 'http://127.0.0.1:9/hooks/ssf';
const minute = 60_000;

let ssf: SsfEmulator;
let rows: StoredSubscription[];
let now: Date;
let heardAt: Date | null;
beforeEach(async () => {
  ssf = await startSsfEmulator();
  rows = [];
  now = new Date('2026-11-25T12:00:00Z');
  heardAt = null;
});
afterEach(() => ssf.close());

const context = (): SubscriptionContext => ({
  hookUrl,
  stored: structuredClone(rows),
  async save(row) {
    const id = row.id ?? `row-${rows.length}`;
    const old = rows.find((one) => one.id === id);
    const { kind, remoteId, resourceId, expiresAt, problem } = row;
    const createdAt = old?.createdAt ?? now;
    const saved = { id, source: 'ssf', kind, remoteId, resourceId, expiresAt, problem, createdAt };
    rows = [...rows.filter((one) => one.id !== id), saved];
    return id;
  },
  async forget(id) {
    rows = rows.filter((one) => one.id !== id);
  },
  now,
});

function keeper(more: Partial<SsfSource> = {}): SubscriptionKeeper {
  const config: SsfSource = {
    type: 'ssf',
    issuer: ssf.url,
    audience: [ssf.audience],
    token: 'ssf-emulator-token',
    delivery: 'push',
    events: eventTypes,
    poll: 60_000,
    ...more,
  };
  return streamKeeper({ transmitter: createTransmitter(config), config, lastEventAt: async () => heardAt });
}
const ensure = async (of = keeper()) => (await of.ensure(context()))[0];
const list = async (of = keeper()) => (await of.list(context()))[0];
const streamAt = () => [...ssf.streams.values()][0];
const asked = (method: string, path: string) =>
  ssf.requests.filter((one) => one.method === method && one.path === path);

describe('producers/ssf/subscribe', () => {
  it('makes the stream and asks for a verification whose state was stored before', async () => {
    expect(await list()).toMatchObject({ state: 'missing', remedy: expect.stringContaining('ensure') });
    expect(await ensure(keeper({ pushToken: ['push-token-0123456789', 'old'] }))).toMatchObject({
      kind: 'stream',
      state: 'unverified',
      remoteId: streamAt()?.stream_id,
    });
    expect(streamAt()?.delivery).toEqual({
      method: 'urn:ietf:rfc:8935',
      endpoint_url: hookUrl,
      authorization_header: 'Bearer push-token-0123456789',
    });
    expect(rows).toMatchObject([{ kind: 'stream', remoteId: streamAt()?.stream_id, problem: null }]);
    expect(asked('POST', '/ssf/verify')[0]?.body).toEqual({
      stream_id: streamAt()?.stream_id,
      state: rows[0]?.resourceId?.split(' ')[0],
    });
    expect(JSON.stringify(rows)).not.toContain('push-token');
    // Kept, so that a token for it is known as ours when another one is configured.
    expect(rows[0]?.resourceId?.split(' ').slice(1)).toEqual([encodeURIComponent(ssf.audience)]);
  });

  it('works once something arrived, and is not made twice', async () => {
    await ensure();
    heardAt = new Date(now.getTime() + 1_000);
    now = new Date(now.getTime() + 2_000);
    expect(await list()).toMatchObject({ state: 'active', remedy: '' });
    expect(await ensure()).toMatchObject({ state: 'active' });
    expect(asked('POST', '/ssf/stream')).toHaveLength(1);
    expect(asked('PATCH', '/ssf/stream')).toHaveLength(0);
    expect(asked('POST', '/ssf/verify')).toHaveLength(1);
  });

  it('a stream that stays silent is reported, and asked again', async () => {
    await ensure();
    now = new Date(now.getTime() + 10 * minute);
    expect(await ensure()).toMatchObject({ state: 'unverified', remedy: expect.stringContaining(hookUrl) });
    expect(rows[0]?.problem).toContain('never arrived');
    expect(asked('POST', '/ssf/verify')).toHaveLength(2);
  });

  it('an hour later a sign of life is asked for, and one look later it is missed', async () => {
    await ensure();
    heardAt = now;
    now = new Date(now.getTime() + 60 * minute);
    expect(await ensure()).toMatchObject({ state: 'active' });
    expect(asked('POST', '/ssf/verify')).toHaveLength(2);
    expect(await list()).toMatchObject({ state: 'active' });
    now = new Date(now.getTime() + 60 * minute);
    expect(await ensure()).toMatchObject({ state: 'unverified' });
  });

  it('never asks more often than the transmitter allows; told so, it still takes the earlier state', async () => {
    ssf.limits.verificationInterval = 7_200;
    await ensure();
    now = new Date(now.getTime() + 60 * minute);
    await ensure();
    expect(asked('POST', '/ssf/verify')).toHaveLength(1);
    const state = rows[0]?.resourceId;
    now = new Date(now.getTime() + 61 * minute);
    await ensure();
    expect(asked('POST', '/ssf/verify').at(-1)?.status).toBe(429);
    expect(rows[0]?.resourceId).toBe(state);
  });

  it.each([[true], [false]])('repairs what was changed at the transmitter (it knows PATCH: %s)', async (patch) => {
    ssf.limits.patch = patch;
    await ensure();
    const stream = streamAt();
    if (stream === undefined) throw new Error('there is no stream');
    stream.delivery.endpoint_url = 'https://old.example.com';
    stream.events_requested = [];
    await ensure();
    expect(stream).toMatchObject({ delivery: { endpoint_url: hookUrl }, events_requested: eventTypes });
    expect(ssf.streams.size).toBe(1);
  });

  it.each([[true], [false]])(
    'a rotated push token reaches the transmitter (it shows the old one: %s)',
    async (shown) => {
      ssf.limits.showHeader = shown;
      await ensure(keeper({ pushToken: ['old-token'] }));
      await ensure(keeper({ pushToken: ['new-token', 'old-token'] }));
      expect(streamAt()?.delivery.authorization_header).toBe('Bearer new-token');
    },
  );

  it('a stream that is gone is made anew', async () => {
    await ensure();
    ssf.streams.clear();
    expect(await list()).toMatchObject({ state: 'missing' });
    await ensure();
    expect(rows).toMatchObject([{ remoteId: streamAt()?.stream_id }]);
  });

  it('where there may be one stream only, that one becomes ours', async () => {
    await ensure(keeper({ delivery: 'poll' }));
    rows = [];
    ssf.limits.streams = 1;
    await ensure();
    expect(ssf.streams.size).toBe(1);
    expect(streamAt()).toMatchObject({ isPoll: false, delivery: { endpoint_url: hookUrl } });
  });

  it('paused for our silence, it is enabled again; where that is forbidden, it is reported', async () => {
    await ensure();
    heardAt = now;
    const stream = streamAt();
    if (stream === undefined) throw new Error('there is no stream');
    Object.assign(stream, { status: 'paused', reason: 'no activity' });
    expect(await list()).toMatchObject({ state: 'inactive', detail: expect.stringContaining('no activity') });
    expect(await ensure()).toMatchObject({ state: 'active' });
    stream.status = 'disabled';
    ssf.limits.setStatus = false;
    expect(await ensure()).toMatchObject({ state: 'inactive', remedy: expect.stringContaining('enable the stream') });
    expect(rows[0]?.problem).toContain('disabled');
  });

  it('says that nobody will tell what happened while the stream did not work, and says it once', async () => {
    expect(await ensure()).toMatchObject({ wasAway: false });
    heardAt = now;
    expect(await ensure()).toMatchObject({ state: 'active', wasAway: false });
    const stream = streamAt();
    if (stream === undefined) throw new Error('there is no stream');
    stream.status = 'paused';
    expect(await ensure()).toMatchObject({ state: 'active', wasAway: true });
    expect(await ensure()).toMatchObject({ state: 'active', wasAway: false });
    stream.status = 'disabled';
    ssf.limits.setStatus = false;
    expect(await ensure()).toMatchObject({ state: 'inactive', wasAway: false });
    // An administrator enables it.
    stream.status = 'enabled';
    expect(await ensure()).toMatchObject({ state: 'active', wasAway: true });
    ssf.streams.clear();
    expect(await ensure()).toMatchObject({ wasAway: true });
    expect(await ensure()).toMatchObject({ wasAway: false });
  });

  it('a stream for another audience is named with what to write', async () => {
    expect(await ensure(keeper({ audience: ['https://wrong.example.com'] }))).toMatchObject({
      state: 'inactive',
      remedy: `write audience: ${ssf.audience}`,
    });
  });

  it('says which events will not come, and whose', async () => {
    ssf.metadata = { default_subjects: 'NONE' };
    const vendor = 'https://schemas.okta.com/secevent/okta/event-type/user-risk-change';
    expect((await ensure(keeper({ events: [...eventTypes, vendor] })))?.detail).toMatch(
      /7 of 8 .*not user-risk-change; only for people who were added/,
    );
  });

  it('polled: the transmitter says where, and its verification waits there', async () => {
    expect(await ensure(keeper({ delivery: 'poll' }))).toMatchObject({ state: 'unverified' });
    expect(streamAt()).toMatchObject({ isPoll: true, delivery: { method: 'urn:ietf:rfc:8936' } });
    expect(streamAt()?.unacked.size).toBe(1);
  });

  it('removes the stream there and here, and does so twice without harm', async () => {
    await ensure();
    expect(await keeper().remove(context())).toBe(1);
    expect([ssf.streams.size, rows]).toEqual([0, []]);
    expect(await keeper().remove(context())).toBe(0);
  });

  it('with a client: one access token for all questions', async () => {
    const client = { clientId: 'sendoff', clientSecret: 'ssf-client-secret', tokenUrl: `${ssf.url}/oauth/token` };
    const config = { issuer: ssf.url, audience: [ssf.audience], delivery: 'push' as const, events: eventTypes };
    const transmitter = createTransmitter({ ...client, issuer: ssf.url });
    const of = streamKeeper({ transmitter, config, lastEventAt: async () => null });
    expect(await ensure(of)).toMatchObject({ state: 'unverified' });
    expect(asked('POST', '/oauth/token')).toHaveLength(1);
  });

  it('refused credentials are named without the secret', async () => {
    const client = { clientId: 'sendoff', clientSecret: 'wrong-secret', tokenUrl: `${ssf.url}/oauth/token` };
    const error = await createTransmitter({ ...client, issuer: ssf.url })
      .call({ method: 'GET', url: `${ssf.url}/ssf/stream` }, [200])
      .catch(String);
    expect(error).toContain('HTTP 401');
    expect(error).not.toContain('wrong-secret');
  });

  it.each([
    [{ issuer: 'https://other.example.com' }, 'calls itself https://other.example.com'],
    [{ jwks_uri: 'https://cdn.example.com/jwks.json' }, 'jwksUri: https://cdn.example.com/jwks.json'],
  ])('a transmitter that says %j is not believed', async (metadata, said) => {
    ssf.metadata = metadata;
    await expect(createTransmitter({ issuer: ssf.url }).keySet()).rejects.toThrow(said);
  });

  it('keys from another host are taken when the configuration names them', async () => {
    ssf.metadata = { jwks_uri: 'https://cdn.example.com/jwks.json' };
    const set = await createTransmitter({ issuer: ssf.url, jwksUri: `${ssf.url}/jwks.json` }).keySet();
    expect(set.keys).toHaveLength(1);
  });
});
