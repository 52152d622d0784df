import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { OktaSource } from '#shared/config/sources/okta.js';
import type { StoredSubscription } from '#shared/store/subscriptions.js';
import { type Listening, listen, send } from '#test/emulators/http.js';
import { type OktaEmulator, startOktaEmulator } from '#test/emulators/okta/index.js';
import type { SubscriptionContext } from '../source.js';
import { eventHook } from './subscribe.js';
import { answerChallenge } from './verify.js';

const secret = 'hook-secret-0123456789abcdef';

describe('producers/okta/subscribe', () => {
  let okta: OktaEmulator;
  let receiver: Listening;
  let isUp = true;
  let rows: StoredSubscription[] = [];
  beforeEach(async () => {
    okta = await startOktaEmulator();
    isUp = true;
    rows = [];
    receiver = await listen(({ headers, rawBody }, response) => {
      const request = { part: 'events' as const, headers, rawHeaders: [], query: {}, body: Buffer.from(rawBody) };
      send(response, (isUp ? answerChallenge(request) : null) ?? { status: 503 });
    });
  });
  afterEach(async () => {
    await okta.close();
    await receiver.close();
  });

  const hookUrl = () => `${receiver.url}/hooks/okta`;
  const context = (): SubscriptionContext => {
    return {
      hookUrl: hookUrl(),
      stored: rows,
      async save({ id = `row${rows.length}`, ...row }) {
        rows = [...rows.filter((one) => one.id !== id), { id, source: 'okta', createdAt: new Date(), ...row }];
        return id;
      },
      async forget(id) {
        rows = rows.filter((one) => one.id !== id);
      },
      now: new Date(),
    };
  };
  const keeper = (more: Partial<OktaSource> = {}) =>
    eventHook('okta', {
      type: 'okta',
      orgUrl: okta.url,
      token: 'okta-emulator-token',
      hookSecret: [secret],
      poll: null,
      ...more,
    });
  const ensure = async (more: Partial<OktaSource> = {}) => (await keeper(more).ensure(context()))[0];
  const list = async (more: Partial<OktaSource> = {}) => (await keeper(more).list(context()))[0];
  const hooks = () => [...okta.eventHooks.hooks.values()];
  const theHook = () => {
    const [hook, ...others] = hooks();
    if (hook === undefined || others.length > 0) throw new Error(`there are ${hooks().length} hooks`);
    return hook;
  };
  const writes = () =>
    okta.requests.filter(({ method }) => method !== 'GET').map(({ method, path }) => `${method} ${path}`);

  it('makes the hook, has it verified, and keeps no secret', async () => {
    expect(await list()).toMatchObject({ state: 'missing', remedy: expect.stringContaining('ensure') });
    expect(await ensure()).toMatchObject({ state: 'active', remedy: '' });
    expect(theHook()).toMatchObject({ status: 'ACTIVE', verificationStatus: 'VERIFIED' });
    expect(theHook().channel.config).toMatchObject({
      uri: hookUrl(),
      authScheme: { key: 'Authorization', value: secret },
    });
    expect(theHook().events.items).toContain('user.lifecycle.deactivate');
    expect(theHook().events.items).not.toContain('application.user_membership.remove');
    expect(rows).toMatchObject([{ remoteId: theHook().id, problem: null }]);
    expect(JSON.stringify(rows)).not.toContain(secret);
    expect(await list()).toMatchObject({ state: 'active' });
  });

  it('changes nothing that is right', async () => {
    await ensure();
    const before = writes();
    await ensure();
    expect(writes()).toEqual(before);
  });

  it('takes over a hook that was made by hand for the same address', async () => {
    await ensure();
    okta.eventHooks.edit(theHook().id, { secret: 'typed-by-hand', items: ['user.session.start'] });
    const { id } = theHook();
    rows = [];
    expect(await ensure({ app: '0oa1' })).toMatchObject({ state: 'active', remoteId: id });
    expect(theHook().channel.config.authScheme.value).toBe(secret);
    expect(theHook().events.items).toContain('application.user_membership.remove');
    expect(theHook().events.items).not.toContain('user.session.start');
  });

  it.each<[string, () => void, string]>([
    ['was switched off', () => okta.eventHooks.edit(theHook().id, { status: 'INACTIVE' }), 'inactive'],
    [
      'had its secret changed, which leaves it unverified',
      () => okta.eventHooks.edit(theHook().id, { secret: 'x' }),
      'unverified',
    ],
    [
      'was sent elsewhere',
      () => okta.eventHooks.edit(theHook().id, { uri: 'https://elsewhere.example/' }),
      'unverified',
    ],
    ['was deleted', () => okta.eventHooks.hooks.clear(), 'missing'],
  ])('puts a hook right that %s', async (_, harm, state) => {
    await ensure();
    harm();
    expect(await list()).toMatchObject({ state, remedy: expect.stringContaining('ensure') });
    expect(await ensure()).toMatchObject({ state: 'active' });
    expect(theHook()).toMatchObject({ status: 'ACTIVE', verificationStatus: 'VERIFIED' });
    expect(theHook().channel.config).toMatchObject({ uri: hookUrl(), authScheme: { value: secret } });
  });

  it('notices that somebody changed the secret and verified it too: it cannot be read back, but when cannot be hidden', async () => {
    await ensure();
    okta.eventHooks.edit(theHook().id, { secret: 'somebody else’s' });
    theHook().verificationStatus = 'VERIFIED';
    expect((await list())?.detail).toContain('changed since');
    await ensure();
    expect(theHook().channel.config.authScheme.value).toBe(secret);
  });

  it('gives the hook the first of two secrets, and only when it is another one than before', async () => {
    await ensure();
    const before = writes().length;
    await ensure({ hookSecret: [secret, 'the-previous-one'] });
    expect(writes()).toHaveLength(before);
    expect(await ensure({ hookSecret: ['the-next-one', secret] })).toMatchObject({ state: 'active' });
    expect(theHook().channel.config.authScheme.value).toBe('the-next-one');
    expect(theHook().verificationStatus).toBe('VERIFIED');
  });

  it('says that it could not be verified, and goes on trying', async () => {
    isUp = false;
    const state = await ensure();
    expect(state).toMatchObject({ state: 'unverified', remedy: expect.stringContaining(hookUrl()) });
    expect(rows[0]?.problem).toContain('did not answer');
    isUp = true;
    expect(await ensure()).toMatchObject({ state: 'active' });
    expect(rows[0]?.problem).toBeNull();
    expect(hooks()).toHaveLength(1);
  });

  it('names the scope that is missing, and remembers that a hook is wanted', async () => {
    okta.signIn.denied.add('okta.eventHooks.manage');
    await expect(ensure()).rejects.toThrow('okta.eventHooks.manage');
    expect(rows).toMatchObject([{ remoteId: null, problem: 'not made yet' }]);
  });

  it('repeats no secret of what Okta refuses', async () => {
    okta.eventHooks.route = ({ method }) =>
      method === 'GET'
        ? { status: 200, body: [] }
        : { status: 400, body: { errorCode: 'E0000001', errorSummary: `channel: ${secret} is weak` } };
    const error = await ensure().catch((thrown: unknown) => thrown);
    expect(String(error)).toContain('is weak');
    expect(`${String(error)}${JSON.stringify(error)}`).not.toContain(secret);
  });

  it('removes it, which Okta allows of an inactive one only', async () => {
    await ensure();
    expect(await keeper().remove(context())).toBe(1);
    expect(hooks()).toEqual([]);
    expect(rows).toEqual([]);
    expect(await keeper().remove(context())).toBe(0);
  });

  it('leaves the hooks of others alone', async () => {
    const other = { method: 'POST', path: '', query: new URLSearchParams(), headers: {}, rawBody: '' };
    const uri = `${receiver.url}/other`;
    const authScheme = { type: 'HEADER', key: 'x', value: 'y' };
    const channel = { type: 'HTTP', version: '1.0.0', config: { uri, authScheme } };
    const body = { name: 'other', events: { type: 'EVENT_TYPE', items: ['user.session.start'] }, channel };
    await okta.eventHooks.route({ ...other, body }, undefined, undefined);
    await ensure();
    await keeper().remove(context());
    expect(hooks()).toMatchObject([{ name: 'other', status: 'ACTIVE' }]);
  });
});
