import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EntraEmulator, makeCertificate, registration, startEntraEmulator } from '#test/emulators/entra/index.js';
import { subject } from '#test/emulators/google/config.js';
import { type GoogleEmulator, startGoogleEmulator } from '#test/emulators/google/index.js';
import { credentials, type OneLoginEmulator, startOneLoginEmulator } from '#test/emulators/onelogin/index.js';
import { type SsfEmulator, signSet, startSsfEmulator } from '#test/emulators/ssf/index.js';
import { hmacKey, signedHeaders } from '#test/emulators/webhook/index.js';
import { createWorld, hookSecret, type World } from '#test/support/world.js';

// What the providers publish, as it stands, through the doors of a running Sendoff whose four directories know the people in
// it: the row, its type, the audit record, and whom it takes out.

const beside = fileURLToPath(new URL('../../../shared/samples', import.meta.url));
const folder = [process.env.SENDOFF_SAMPLES, beside].find((dir) => dir !== undefined && existsSync(dir));
const text = (name: string) => readFileSync(`${folder}/${name}`, 'utf8');
const json = (name: string) => JSON.parse(text(name));

const oneLoginSecret = 'Bearer onelogin-hook-secret-0123456789';
const members = { users: 'users-subscription', groups: '26a5aadf-b10d-425c-98a4-aa9c2e0b0b45' };
/** What the samples carry. */
const graphState = 'A0A354EC-97D4-4D83-9DDB-144077ADB449';
const googleTokens = { deleteChannel: '245t1234tt83trrt333', 'channel-ID-value': 'channel-token-value' };

interface Seen {
  source: string;
  state: string;
  type: string | null;
  reason: string | null;
  audit: string | null;
}

describe.skipIf(folder === undefined)('published payloads', () => {
  const tls = makeCertificate();
  let world: World;
  let entra: EntraEmulator;
  let google: GoogleEmulator;
  let onelogin: OneLoginEmulator;
  let ssf: SsfEmulator;
  const vector = folder === undefined ? { secret: '' } : json('webhook/vector.hmac.json');

  beforeAll(async () => {
    [entra, google, onelogin, ssf] = await Promise.all([
      startEntraEmulator(tls),
      startGoogleEmulator(),
      startOneLoginEmulator(),
      startSsfEmulator(),
    ]);
    world = await createWorld({
      roles: [],
      sources: { authority: '[okta, entra, google, onelogin]', yaml: sources() },
      config: 'offboarding: { successor: none, recheck: 0s, reassign: [] }',
      env: {
        NODE_EXTRA_CA_CERTS: tls.path,
        GOOGLE_KEY: google.tokens.account.privateKey.replaceAll('\n', '\\n'),
      },
    });
    world.workplace.env['OKTA_ORG_URL'] = world.okta.url;
    people();
    for (const [kind, id] of Object.entries(members)) await subscribed('entra', kind, id);
    for (const id of Object.keys(googleTokens)) await subscribed('google', 'users', id);
    await world.start('up');
    await world.reconciled();
  }, 240_000);
  afterAll(async () => {
    await world?.end();
    await Promise.all([entra, google, onelogin, ssf].map((one) => one?.close()));
    tls.remove();
  });

  const sources =
    () => `  okta: { type: okta, orgUrl: "\${OKTA_ORG_URL}", token: "\${OKTA_API_TOKEN}", hookSecret: ${hookSecret}, poll: off }
  entra:
    type: entra
    tenantId: ${registration.tenantId}
    clientId: ${registration.clientId}
    clientSecret: ${registration.clientSecret}
    clientState: ${graphState}
    graphUrl: ${entra.url}
    authorityHost: ${entra.url}
    poll: off
  google:
    type: google
    clientEmail: ${google.tokens.account.clientEmail}
    privateKey: \${GOOGLE_KEY}
    subject: ${subject}
    channelToken: [${Object.values(googleTokens).join(', ')}]
    poll: off
    baseUrl: ${google.url}
    tokenUrl: ${google.url}
  onelogin:
    type: onelogin
    baseUrl: ${onelogin.url}
    clientId: ${credentials.clientId}
    clientSecret: ${credentials.clientSecret}
    hookSecret: ${oneLoginSecret}
    poll: off
  ssf: { type: ssf, issuer: "${ssf.url}", audience: "${ssf.audience}" }
  hris: { type: webhook, signingSecret: "${vector.secret}" }
`;

  /** Whom the samples name, as their directories have them by now; each has SendGrid access. */
  const people = () => {
    const known: [string, string, string][] = [
      ['00u10r4h1xAe2TIcx4x7', 'test@test.com', 'ACTIVE'],
      ['00u3m90rxKjGQ0G6L1d6', 'john.doe@example.com', 'ACTIVE'],
      ['12345', 'user@example.com', 'ACTIVE'],
      ['00upywm7l0rL1V0zt0h7', 'Test1@test.com', 'ACTIVE'],
      ['00ued6gq9jItNhAsN0h7', 'test@this.com', 'ACTIVE'],
    ];
    for (const [id, email, status] of known) world.okta.addUser({ id, email, status });
    entra.addUser({ id: '636b5365-803f-4703-8cd8-a39d473fe31a', email: 'member@graph.example' });
    google.addUser({ primaryEmail: subject });
    google.addUser({ id: '111220860655841818702', primaryEmail: 'user@mydomain.com' });
    onelogin.addUser({ id: 1, email: 'service@acme.com' });
    onelogin.addUser({ id: 123456, email: 'bob@onelogin.example' });
    for (const email of [
      ...known.map(([, address]) => address),
      'member@graph.example',
      'user@mydomain.com',
      'bob@onelogin.example',
    ]) {
      world.account().addTeammate({ email });
    }
  };
  const subscribed = (source: string, kind: string, id: string) =>
    world.database.pool.query(
      `insert into subscription (source, kind, remote_id, expires_at) values ($1, $2, $3, now() + interval '1 hour')`,
      [source, kind, id],
    );
  const post = async (path: string, body: string, headers: Record<string, string> = {}) => {
    const response = await fetch(`${world.url}/hooks/${path}`, { method: 'POST', headers, body });
    return { status: response.status, text: await response.text() };
  };
  /** What a delivery leaves, once all of it is through. */
  const leaves = async (deliver: () => Promise<{ status: number }>): Promise<[number, Seen[]]> => {
    const { rows: before } = await world.database.pool.query('select coalesce(max(seq), 0) as seq from inbox');
    const { status } = await deliver();
    await world.quiet();
    const { rows } = await world.database.pool.query<Seen>(
      // Of one delivery the rows lie in the order of their ids.
      `select inbox.source, inbox.state, coalesce(inbox.type, inbox.sender_type) as type, inbox.reason,
         (select canonical::jsonb ->> 'kind' from audit_entry
          where canonical::jsonb -> 'cause' -> 'eventIds' ? inbox.event_id
            and canonical::jsonb ->> 'kind' like 'event.%' limit 1) as audit
       from inbox where seq > $1 and source <> 'reconcile' order by seq`,
      [before[0].seq],
    );
    return [status, rows];
  };
  const has = (email: string) => world.account().has(email);

  it.each([
    ['event-hook.group-membership-add', 'moved'],
    ['log-event.user-lifecycle-deactivate', 'terminated'],
    ['log-event.user-lifecycle-suspend', 'suspended'],
    ['log-event.application-membership-add', 'assigned'],
    ['log-event.group-membership-add', 'moved'],
  ])('okta/%s is %s', async (name, type) => {
    const sample = json(`okta/${name}.json`);
    const body = JSON.stringify(sample.data === undefined ? { data: { events: [sample] } } : sample);
    const [status, rows] = await leaves(() => post('okta', body, { authorization: hookSecret }));
    expect([status, rows]).toMatchObject([204, [{ source: 'okta', state: 'done', type, audit: 'event.received' }]]);
  });

  it.each([
    ['event-hook.user-session-start', 1],
    ['log-events.account-privilege-grant', 2],
  ])('okta/%s is kept and ignored', async (name, count) => {
    const sample = json(`okta/${name}.json`);
    const body = Array.isArray(sample) ? { data: { events: sample } } : sample;
    const [status, rows] = await leaves(() => post('okta', JSON.stringify(body), { authorization: hookSecret }));
    expect([status, rows.map(({ state }) => state)]).toEqual([204, Array(count).fill('ignored')]);
  });

  it('whom Okta has deactivated is removed by the published event; the active person above was not', async () => {
    expect(has('john.doe@example.com')).toBe(true);
    world.okta.setStatus('00u3m90rxKjGQ0G6L1d6', 'DEPROVISIONED');
    const sample = { ...json('okta/log-event.user-lifecycle-deactivate.json'), uuid: 'the same again' };
    await leaves(() => post('okta', JSON.stringify({ data: { events: [sample] } }), { authorization: hookSecret }));
    expect(has('john.doe@example.com')).toBe(false);
    const { items } = await world.json<{ items: { person: { email: string }; state: string }[] }>('plans', 'list');
    expect(items[0]).toMatchObject({ person: { email: 'john.doe@example.com' }, state: 'settled' });
    expect(has('test@test.com')).toBe(true);
  });

  it('Okta’s verification and Graph’s validation are answered to the letter', async () => {
    const { request, response } = json('okta/event-hook.verification.http.json');
    const verified = await fetch(`${world.url}/hooks/okta`, { headers: request.headers });
    expect([verified.status, await verified.json()]).toEqual([response.status, response.body]);

    const sample = json('entra/validation.http.json');
    const token = 'Validation: Testing client application reachability for subscription Request-Id: <b>1</b> +%2B&é';
    for (const part of ['entra', 'entra/lifecycle']) {
      const url = `${world.url}/hooks/${part}?validationToken=${encodeURIComponent(token.replace('é', ''))}`;
      const echoed = await fetch(url, { method: 'POST', headers: sample.request.headers });
      expect([echoed.status, await echoed.text()]).toEqual([200, token.replace('é', '')]);
      expect(echoed.headers.get('content-type')).toBe('text/plain; charset=utf-8');
      expect(echoed.headers.get('x-content-type-options')).toBe('nosniff');
    }
  });

  it('entra/notification.group-member-added is a move of its member, digits and all', async () => {
    const [status, rows] = await leaves(() => post('entra', text('entra/notification.group-member-added.json')));
    expect([status, rows]).toMatchObject([202, [{ source: 'entra', state: 'done', type: 'moved' }]]);
    const { rows: raw } = await world.database.pool.query(
      `select convert_from(raw, 'UTF8') as raw from inbox where source = 'entra' order by seq desc limit 1`,
    );
    expect(raw[0].raw).toContain('637628640120385565');
    expect(raw[0].raw).not.toContain(graphState);
  });

  it.each([
    ['event-grid.user-updated', 'moved', 'done'],
    ['event-grid.group-updated', 'group updated', 'ignored'],
    ['lifecycle.template', 'missed', 'ignored'],
  ])('entra/%s with its blanks filled in', async (name, type, state) => {
    const filled = text(`entra/${name}.json`)
      .replace(/<(guid|secretClientState)>/g, graphState)
      .replace(/<tenant[-_](id|guid)>/g, registration.tenantId)
      .replace(/<(microsoft-graph-subscription-id|subscription_guid)>/g, members.users)
      .replace(/<(user|group)-id>/g, '636b5365-803f-4703-8cd8-a39d473fe31a')
      .replace(/<sequence-number>/g, '637628640120385566')
      .replace(/subscriptionRemoved or missed or reauthorizationRequired/, 'missed');
    const sample = JSON.parse(filled);
    const body = JSON.stringify(sample.value === undefined ? { value: [sample.data] } : sample);
    const [status, rows] = await leaves(() => post(name.startsWith('life') ? 'entra/lifecycle' : 'entra', body));
    expect([status, rows]).toMatchObject([202, [{ source: 'entra', type, state }]]);
  });

  it('entra/notification.message-created is of a tenant, a secret and a subscription that are not ours', async () => {
    const [status, rows] = await leaves(() => post('entra', text('entra/notification.message-created.json')));
    expect([status, rows]).toEqual([202, []]);
  });

  it('google/users-push.sync leaves nothing; .delete takes out whom Google has deleted', async () => {
    const push = (name: string) => {
      const { headers, body } = json(`google/users-push.${name}.http.json`).request;
      const { 'Content-Length': _, ...rest } = headers;
      return post('google', body === '' ? '' : JSON.stringify(body), rest);
    };
    expect(await leaves(() => push('sync'))).toEqual([204, []]);
    google.deleteUser('111220860655841818702');
    const [status, rows] = await leaves(() => push('delete'));
    expect([status, rows]).toMatchObject([204, [{ source: 'google', state: 'done', type: 'terminated' }]]);
    expect(has('user@mydomain.com')).toBe(false);
  });

  it('onelogin: activated and deleted are events, what is cut off is put aside, and each takes out nobody who is there', async () => {
    const authorization = { authorization: oneLoginSecret };
    const lines = ['event.user-activated', 'event.user-deleted'].map((name) =>
      JSON.stringify(json(`onelogin/${name}.json`)),
    );
    const [status, rows] = await leaves(() => post('onelogin', lines.join('\n'), authorization));
    expect([status, rows]).toMatchObject([
      200,
      [
        { state: 'done', type: 'terminated', audit: 'event.received' },
        { state: 'done', type: 'reactivated', audit: 'event.received' },
      ],
    ]);
    expect(has('bob@onelogin.example')).toBe(true);
    const partial = await leaves(() => post('onelogin', text('onelogin/webhook.login.partial.json'), authorization));
    expect(partial).toMatchObject([200, [{ state: 'quarantined', audit: 'event.quarantined' }]]);
  });

  it.each([
    ['account-disabled-2', 'ignored', 'account-disabled'],
    ['account-enabled', 'done', 'reactivated'],
    ['assurance-level-change', 'ignored', 'assurance-level-change'],
    ['credential-change', 'ignored', 'credential-change'],
    ['credential-compromise', 'done', 'moved'],
    ['device-compliance-change', 'ignored', 'device-compliance-change'],
    ['identifier-changed', 'done', 'renamed'],
    ['session-established', 'ignored', 'session-established'],
    ['session-presented', 'ignored', 'session-presented'],
    ['session-revoked', 'done', 'moved'],
    ['token-claims-change', 'done', 'moved'],
    ['verification', 'ignored', 'verification'],
  ])('ssf/set.%s, signed, is %s', async (name, state, type) => {
    const claims = { ...json(`ssf/set.${name}.json`), iss: ssf.url, aud: ssf.audience, jti: name };
    const [key] = ssf.keys;
    if (key === undefined) throw new Error('there is no key');
    const set = await signSet(claims, key);
    const [status, rows] = await leaves(() => post('ssf', set, { 'content-type': 'application/secevent+jwt' }));
    expect([status, rows.map((row) => ({ ...row, type: row.type?.split('/').at(-1) }))]).toMatchObject([
      202,
      [{ source: 'ssf', state, type }],
    ]);
  });

  it('webhook/vector is refused years after its time, and taken when it is signed now', async () => {
    expect(await post('hris', vector.rawBody, vector.headers)).toMatchObject({ status: 401 });
    const message = { id: vector.headers['webhook-id'], body: Buffer.from(vector.rawBody) };
    const [status, rows] = await leaves(() =>
      post('hris', vector.rawBody, signedHeaders(message, [hmacKey(vector.secret)])),
    );
    expect([status, rows]).toMatchObject([204, [{ source: 'hris', state: 'quarantined', audit: 'event.quarantined' }]]);
  });
});
