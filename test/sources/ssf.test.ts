import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type OktaEmulator, startOktaEmulator } from '#test/emulators/okta/index.js';
import { createSigningKey, type SsfEmulator, signSet, startSsfEmulator } from '#test/emulators/ssf/index.js';
import { type Human, type SourceDriver, tellStory } from '#test/support/source-scenario.js';
import { createWorld, type World } from '#test/support/world.js';

const risc = 'risc/event-type/';
const caep = 'caep/event-type/';

/** Okta is the truth and says nothing by itself; only the transmitter tells of it. */
async function startDriver(): Promise<SourceDriver> {
  const okta = await startOktaEmulator();
  const ssf = await startSsfEmulator();
  await pollableStream(ssf);
  const user = (human: Human) => ({ id: `00u-${human.name}`, email: human.email });
  const tell = async (type: string, human: Human, byId: boolean) => {
    const { id, email } = user(human);
    const subject = byId ? { format: 'iss_sub', iss: ssf.url, sub: id } : { format: 'email', email };
    await ssf.emit({ type, subject });
  };
  return {
    source: 'ssf',
    authority: 'okta',
    yaml: ({ poll }) => yaml(okta, ssf, poll),
    async hire(human, group) {
      okta.addUser(user(human)).groups.add(group);
      await tell(`${caep}token-claims-change`, human, false);
    },
    async move(human, from, to) {
      const { groups } = okta.users.get(user(human).id) ?? okta.addUser(user(human));
      groups.delete(from);
      groups.add(to);
      await tell(`${caep}token-claims-change`, human, true);
    },
    async suspend(human) {
      okta.setStatus(user(human).id, 'SUSPENDED');
      await tell(`${risc}account-disabled`, human, false);
    },
    async reactivate(human) {
      okta.setStatus(user(human).id, 'ACTIVE');
      await tell(`${risc}account-enabled`, human, true);
    },
    async terminate(human) {
      okta.setStatus(user(human).id, 'DEPROVISIONED');
      await tell(`${risc}account-purged`, human, true);
    },
    async rehire(human, group) {
      okta.setStatus(user(human).id, 'ACTIVE');
      okta.users.get(user(human).id)?.groups.clear();
      okta.users.get(user(human).id)?.groups.add(group);
      await tell(`${risc}account-enabled`, human, false);
    },
    async deliver(url, times) {
      await ssf.deliver(`${url}/hooks/ssf`, times);
    },
    types: { hire: ['moved'], suspend: ['suspended'], terminate: ['terminated'] },
    async close() {
      await okta.close();
      await ssf.close();
    },
  };
}

/** As an administrator makes one at the transmitter. */
async function pollableStream(ssf: SsfEmulator): Promise<void> {
  const headers = { authorization: 'Bearer ssf-emulator-token', 'content-type': 'application/json' };
  const body = JSON.stringify({ delivery: { method: 'urn:ietf:rfc:8936' }, events_requested: [] });
  await fetch(`${ssf.url}/ssf/stream`, { method: 'POST', headers, body });
}

function yaml(okta: OktaEmulator, ssf: SsfEmulator, poll: string): string {
  return `  okta: { type: okta, orgUrl: "${okta.url}", token: okta-emulator-token, hookSecret: nobody-sends-with-it, poll: off }
  ssf:
    type: ssf
    issuer: ${ssf.url}
    audience: ${ssf.audience}
    token: ssf-emulator-token
    ids: okta
    delivery: ${poll === 'off' ? 'push' : 'poll'}
    poll: ${poll}`;
}

tellStory('sources/ssf', startDriver, { push: true, poll: true });

describe('sources/ssf: the receiver', () => {
  const email = { format: 'email', email: 'jane@acme.com' };
  const seed = { type: `${risc}account-disabled`, subject: email };
  let okta: OktaEmulator;
  let ssf: SsfEmulator;
  let world: World;
  let since: string;

  beforeAll(async () => {
    okta = await startOktaEmulator();
    ssf = await startSsfEmulator();
    ssf.fault = { path: '/jwks.json', answer: { status: 500 } };
    world = await createWorld({
      sources: { authority: 'okta', yaml: yaml(okta, ssf, 'off') },
      // biome-ignore lint/suspicious/noTemplateCurlyInString: filled in from the environment
      config: 'publicUrl: "http://127.0.0.1:${PORT}"',
    });
    okta.addUser({ id: '00u-jane', email: 'jane@acme.com' });
    world.account().addTeammate({ email: 'jane@acme.com' });
  });
  beforeEach(async () => {
    since = (await world.database.pool.query('select coalesce(max(seq), 0) as seq from inbox')).rows[0].seq;
  });
  afterAll(async () => {
    await world?.end();
    await okta?.close();
    await ssf?.close();
  });

  const push = async (set: string) => ssf.push(`${world.url}/hooks/ssf`, set);
  const rows = async () => {
    const { rows: found } = await world.database.pool.query(
      'select state, type, reason from inbox where seq > $1 order by seq',
      [since],
    );
    return found as { state: string; type: string | null; reason: string | null }[];
  };

  it('says 503, never 400, while the keys cannot be read, and takes the SET afterwards', async () => {
    const set = await ssf.sign(seed);
    expect(await push(set)).toMatchObject({ status: 503 });
    expect(await push(set)).toMatchObject({ status: 503 });
    expect(await rows()).toEqual([]);
    ssf.fault = null;
    await expect.poll(async () => (await push(set)).status, { timeout: 30_000 }).toBe(202);
    expect(await rows()).toMatchObject([{ type: 'suspended' }]);
  });

  it('the same jti twice is 202 twice, with an empty body, and one row', async () => {
    const set = await ssf.sign({ ...seed, jti: 'twice' });
    const again = await ssf.sign({ ...seed, jti: 'twice', claims: { txn: 'another' } });
    for (const one of [set, set, again]) expect(await push(one)).toEqual({ status: 202, body: null });
    expect(await rows()).toHaveLength(1);
  });

  it.each<[string, string, () => Promise<string>]>([
    ['forged', 'invalid_key', async () => signSet(ssf.claims(seed), await createSigningKey('key-1'))],
    ['of another issuer', 'invalid_issuer', () => ssf.sign({ ...seed, claims: { iss: 'https://evil.example.com' } })],
    ['for somebody else', 'invalid_audience', () => ssf.sign({ ...seed, claims: { aud: 'x' } })],
    ['with exp', 'invalid_request', () => ssf.sign({ ...seed, claims: { exp: 9_999_999_999 } })],
    ['cut off', 'invalid_request', async () => (await ssf.sign(seed)).split('.').slice(0, 2).join('.')],
  ])('a SET %s is refused with %s and leaves no row', async (_, err, make) => {
    expect(await push(await make())).toEqual({ status: 400, body: { err, description: expect.any(String) } });
    expect(await rows()).toEqual([]);
  });

  it('a key that was rotated in is believed at once', async () => {
    await ssf.rotate('ES256');
    expect(await push(await ssf.sign(seed))).toMatchObject({ status: 202 });
  });

  it('a stream is made from the command line, and the verification it asked for proves it', async () => {
    const stream = async () => {
      const { checks } = await world.json<{ checks: { name: string; ok: boolean; detail: string }[] }>('doctor');
      return checks.find(({ name }) => name === 'sources.ssf stream');
    };
    expect(await stream()).toMatchObject({ ok: false, detail: expect.stringContaining('missing') });
    const ensured = await world.json('subscriptions', 'ensure', '--source', 'ssf');
    expect(JSON.stringify(ensured)).toContain('unverified');
    const [made] = ssf.streams.values();
    expect(made?.delivery.endpoint_url).toBe(`${world.url}/hooks/ssf`);
    expect(made?.lastPush).toEqual({ status: 202, body: null });
    expect(await rows()).toMatchObject([{ state: 'ignored', reason: expect.stringContaining('the stream works') }]);
    expect(JSON.stringify(await world.json('subscriptions', 'list', '--source', 'ssf'))).toContain('"active"');
    expect(await stream()).toMatchObject({ ok: true });

    const kept = (await world.database.pool.query('select resource_id from subscription')).rows[0].resource_id;
    const [state] = kept.split(' ');
    const verification = (id: string, said: string) =>
      ssf.sign({ type: 'ssf/event-type/verification', subject: { format: 'opaque', id }, event: { state: said } });
    const refused = { status: 400, body: { err: 'invalid_state' } };
    expect(await push(await verification(made?.stream_id ?? '', 'forged'))).toMatchObject(refused);
    expect(await push(await verification('another stream', state))).toMatchObject(refused);
    expect(await rows()).toHaveLength(1);
  });

  it('revoked sessions and vendors’ own signals remove nobody', async () => {
    const types = [`${caep}session-revoked`, 'https://vendor.example.com/user-risk-change'];
    for (const type of types)
      expect(await push(await ssf.sign({ type, subject: email }))).toMatchObject({ status: 202 });
    await world.quiet();
    expect(await rows()).toMatchObject([{ state: 'done', type: 'moved' }, { state: 'ignored' }]);
    expect(world.sendgrid.journal.filter(({ method }) => method !== 'GET')).toEqual([]);
  });

  it('an event about somebody who is still active removes nobody either, whatever it says', async () => {
    expect(await push(await ssf.sign({ type: `${risc}account-purged`, subject: email }))).toMatchObject({
      status: 202,
    });
    await world.quiet();
    expect(await rows()).toMatchObject([{ state: 'done', type: 'terminated' }]);
    expect(world.sendgrid.journal.filter(({ method }) => method !== 'GET')).toEqual([]);
  });

  it('a recycled address holds what lies under it, until a human says whose it is', async () => {
    const recycled = async (jti: string) => {
      const set = await ssf.sign({ type: `${risc}identifier-recycled`, subject: email, jti });
      expect(await push(set)).toMatchObject({ status: 202 });
      await world.quiet();
    };
    const held = async () => {
      const { items } = await world.json<{ items: { id: string }[] }>('plans', 'list', '--state', 'held');
      return items;
    };
    const answer = async (how: 'approve' | 'reject') => {
      const { code } = await world.workplace.run(['plans', how, (await held())[0]?.id ?? '']);
      expect(code).toBe(0);
      await world.quiet();
    };
    const removals = () => world.sendgrid.journal.filter(({ method }) => method === 'DELETE');

    await recycled('first');
    expect(await held()).toHaveLength(1);
    // Whatever else is said of the new holder meanwhile, the doubt stands.
    await push(await ssf.sign({ type: `${caep}session-revoked`, subject: email }));
    await world.quiet();
    expect(await held()).toHaveLength(1);
    await answer('reject');
    expect(removals()).toEqual([]);
    await push(await ssf.sign({ type: `${caep}session-revoked`, subject: email }));
    await world.quiet();
    expect(await held()).toEqual([]);

    await recycled('unanswered');
    expect(await held()).toHaveLength(1);
    await world.database.pool.query(`update plan set hold_expires_at = now() where state = 'held'`);
    await expect.poll(held, { timeout: 120_000 }).toEqual([]);
    await world.quiet();
    // Nobody has proposed anything any more, and what came meanwhile was planned again without it.
    const [newest] = (await world.json<{ items: { verdict: string }[] }>('plans', 'list')).items;
    expect(newest).toMatchObject({ verdict: 'keep' });
    expect(removals()).toEqual([]);

    await recycled('second');
    await answer('approve');
    expect(removals()).toMatchObject([{ applied: true }]);
    expect(world.account().teammates.has('jane@acme.com')).toBe(false);
    // Who has the address now stays out until the order is taken back.
    world.account().addTeammate({ email: 'jane@acme.com' });
    await push(await ssf.sign({ type: `${caep}session-revoked`, subject: email }));
    await world.quiet();
    expect(world.account().teammates.has('jane@acme.com')).toBe(false);
    expect((await world.workplace.run(['offboard', 'jane@acme.com', '--cancel'])).code).toBe(0);
    world.account().addTeammate({ email: 'jane@acme.com' });
    await world.quiet();
    expect(removals()).toHaveLength(2);
  });
});
