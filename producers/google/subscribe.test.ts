import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createGoogleClient } from '#shared/directory/google/client.js';
import type { StoredSubscription } from '#shared/store/subscriptions.js';
import { channelToken, googleConfig, subject } from '#test/emulators/google/config.js';
import { type GoogleEmulator, googleError, startGoogleEmulator } from '#test/emulators/google/index.js';
import { type Listening, listen, send } from '#test/emulators/http.js';
import type { SubscriptionContext, SubscriptionState } from '../source.js';
import { channelKeeper } from './subscribe.js';

const hourMs = 60 * 60_000;

describe('producers/google/subscribe', () => {
  let google: GoogleEmulator;
  let receiver: Listening;
  let rows: Map<string, StoredSubscription>;
  /** Channels whose messages came, and whether their row was there. */
  let heard: [string, boolean][];
  let hook: string;

  beforeAll(async () => {
    google = await startGoogleEmulator();
    receiver = await listen(({ headers }, response) => {
      const id = String(headers['x-goog-channel-id']);
      heard.push([id, [...rows.values()].some(({ remoteId }) => remoteId === id)]);
      send(response, { status: 204 });
    });
  });
  afterAll(async () => {
    await google.close();
    await receiver.close();
  });
  beforeEach(() => {
    google.users.clear();
    google.addUser({ primaryEmail: subject });
    google.changes.length = 0;
    google.channels.open.clear();
    google.channels.wantsEvent = false;
    google.aheadMs = 0;
    google.fault = null;
    rows = new Map();
    heard = [];
    hook = '/hooks/google';
  });

  function context(): SubscriptionContext {
    const now = google.now();
    return {
      hookUrl: `${receiver.url}${hook}`,
      stored: [...rows.values()].sort((a, b) => +a.createdAt - +b.createdAt),
      now,
      async save({ id = `row-${rows.size}-${+now}`, ...row }) {
        rows.set(id, { id, source: 'google', createdAt: rows.get(id)?.createdAt ?? now, ...row });
        return id;
      },
      async forget(id) {
        rows.delete(id);
      },
    };
  }
  const keeper = () => channelKeeper(createGoogleClient('google', googleConfig(google), 500), channelToken);
  const ensure = () => keeper().ensure(context());
  const states = (list: SubscriptionState[]) => list.map(({ kind, state }) => `${kind}: ${state}`);
  const openIds = () => [...google.channels.open.keys()];
  const broken = (status: number, reason: string) => {
    google.fault = () => ({ kind: 'answer', answer: googleError(status, reason, 'no') });
  };

  it('opens one channel for everything; its row is there before `sync` arrives', async () => {
    expect(await ensure()).toMatchObject([{ kind: 'users', state: 'active', expiresAt: expect.any(Date) }]);
    const [channel] = [...google.channels.open.values()];
    expect(heard).toEqual([[channel?.id, true]]);
    expect(channel).toMatchObject({ token: channelToken, event: null });
    expect([...rows.values()]).toMatchObject([
      {
        remoteId: channel?.id,
        resourceId: expect.stringMatching(`^${channel?.resourceId} `),
        expiresAt: channel?.expiration,
        problem: null,
      },
    ]);
  });

  it('leaves a young channel alone', async () => {
    await ensure();
    google.aheadMs = 2.9 * hourMs;
    expect(states(await ensure())).toEqual(['users: active']);
    expect(rows.size).toBe(1);
    expect(heard).toHaveLength(1);
  });

  it('replaces a channel that leads to where we were before, and then leaves the new one alone', async () => {
    await ensure();
    const [old] = openIds();
    hook = '/elsewhere/google';
    expect(states(await keeper().list(context()))).toEqual(['users: inactive']);
    expect(states(await ensure())).toEqual(['users: active']);
    expect(openIds()).toHaveLength(2);
    google.aheadMs = 10 * 60_000;
    expect(states(await ensure())).toEqual(['users: active']);
    expect(openIds()).toHaveLength(1);
    expect(openIds()).not.toContain(old);
    expect(rows.size).toBe(1);
    expect(heard).toHaveLength(2);
  });

  it('past half of its life the next one opens; for a while both send, then the old one is stopped and forgotten', async () => {
    await ensure();
    const [old] = openIds();
    google.aheadMs = 3.1 * hourMs;
    await ensure();
    expect(openIds()).toHaveLength(2);
    expect(rows.size).toBe(2);
    google.addUser({ primaryEmail: 'jane@acme.com' });
    await google.channels.deliver(google);
    expect(heard.slice(2).map(([, known]) => known)).toEqual([true, true]);
    google.aheadMs = 3.1 * hourMs + 60_000;
    await ensure();
    expect(openIds()).toHaveLength(2);
    google.aheadMs = 3.2 * hourMs;
    await ensure();
    expect(openIds()).toHaveLength(1);
    expect(openIds()).not.toContain(old);
    expect(rows.size).toBe(1);
  });

  it('replaces what ended while nobody looked, and forgets it', async () => {
    await ensure();
    const [old] = openIds();
    google.aheadMs = 7 * hourMs;
    expect(states(await keeper().list(context()))).toEqual(['users: expired']);
    await ensure();
    expect([...rows.values()].map(({ remoteId }) => remoteId)).not.toContain(old);
    expect(states(await keeper().list(context()))).toEqual(['users: active']);
  });

  it('names each event when Google wants one named, and stays with that', async () => {
    google.channels.wantsEvent = true;
    const kinds = ['add', 'delete', 'undelete', 'update'].map((event) => `users.${event}: active`);
    expect(states(await ensure())).toEqual(kinds);
    google.aheadMs = 3.1 * hourMs;
    google.requests.length = 0;
    expect(states(await ensure())).toEqual(kinds);
    expect(google.requests.filter(({ path }) => path.endsWith('/watch')).map(({ status }) => status)).toEqual([
      200, 200, 200, 200,
    ]);
    google.aheadMs = 3.2 * hourMs;
    await ensure();
    expect(rows.size).toBe(4);
    expect(openIds()).toHaveLength(4);
  });

  it('a clear refusal leaves no row, and asks once', async () => {
    broken(403, 'forbidden');
    google.requests.length = 0;
    expect(await ensure()).toMatchObject([{ state: 'missing', detail: expect.stringContaining('403 forbidden') }]);
    expect(rows.size).toBe(0);
    expect(google.requests.filter(({ path }) => path.endsWith('/watch'))).toHaveLength(1);
  });

  it('without an answer the row stays, for the channel may be open, and goes when it would have ended', async () => {
    google.fault = ({ path }) => (path.endsWith('/watch') ? { kind: 'hang' } : null);
    expect(states(await ensure())).toEqual(['users: missing']);
    expect([...rows.values()]).toMatchObject([{ resourceId: null, problem: expect.any(String) }]);
    expect(states(await keeper().list(context()))).toEqual(['users: unverified']);
    google.fault = null;
    expect(states(await ensure())).toEqual(['users: active']);
    google.aheadMs = 6.1 * hourMs;
    await ensure();
    expect([...rows.values()]).toMatchObject([{ problem: null }]);
  });

  it('a channel that could not be replaced is told of while it still works, and tried again after it ended', async () => {
    await ensure();
    google.aheadMs = 3.1 * hourMs;
    broken(503, 'backendError');
    expect(await ensure()).toMatchObject([
      { state: 'inactive', remedy: expect.stringContaining('subscriptions ensure') },
    ]);
    google.aheadMs = 10 * hourMs;
    expect(await ensure()).toMatchObject([{ state: expect.not.stringMatching('active') }]);
    expect(rows.size).toBeGreaterThan(0);
    google.fault = null;
    expect(states(await ensure())).toEqual(['users: active']);
  });

  it('removes every channel, also one that Google knows no longer', async () => {
    await ensure();
    google.aheadMs = 3.1 * hourMs;
    await ensure();
    google.channels.open.delete(openIds()[0] ?? '');
    expect(await keeper().remove(context())).toBe(2);
    expect(openIds()).toEqual([]);
    expect(rows.size).toBe(0);
    expect(states(await keeper().list(context()))).toEqual(['users: missing']);
  });
});
