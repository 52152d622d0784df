import { describe, expect, it } from 'vitest';
import { startOktaEmulator } from '#test/emulators/okta/index.js';
import { createWebhookSender, ed25519Key, hmacKey, signedHeaders } from '#test/emulators/webhook/index.js';
import { type Human, type SourceDriver, tellStory } from '#test/support/source-scenario.js';
import { createWorld } from '#test/support/world.js';

/** An HRIS tells by its own words; Okta is the truth. */
async function startHris(): Promise<SourceDriver> {
  const okta = await startOktaEmulator();
  const sender = createWebhookSender([hmacKey()]);
  const secret = sender.keys[0]?.shared;
  const idOf = ({ name }: Human) => `00u-${name}`;
  const user = (human: Human) => {
    const found = okta.users.get(idOf(human));
    if (found === undefined) throw new Error(`Okta has no ${human.name}`);
    return found;
  };
  const tell = (human: Human, what: string): void => {
    sender.queue({
      event: { name: what, at: new Date().toISOString() },
      employees: [{ oktaId: idOf(human), contact: { email: human.email } }],
    });
  };
  const hire = (human: Human, group: string): void => {
    okta.deleteUser(idOf(human));
    okta.addUser({ id: idOf(human), email: human.email }).groups.add(group);
    tell(human, 'employee.hired');
  };
  const set = (human: Human, status: string, what: string): void => {
    okta.setStatus(idOf(human), status);
    tell(human, what);
  };

  return {
    source: 'hris',
    authority: 'okta',
    yaml: () => `  okta:
    type: okta
    orgUrl: ${okta.url}
    token: \${OKTA_API_TOKEN}
    hookSecret: unused-hook-secret-0123456789
    poll: off
  hris:
    type: webhook
    ids: okta
    signingSecret: \${HRIS_SIGNING_SECRET}
    mapping:
      items: employees
      type: event.name
      occurredAt: event.at
      email: contact.email
      id: oktaId
      types:
        employee.hired: joined
        employee.moved: moved
        employee.leave-began: suspended
        employee.leave-ended: reactivated
        employee.left: terminated
`,
    env: { HRIS_SIGNING_SECRET: secret },
    hire,
    rehire: hire,
    move(human, from, to) {
      user(human).groups.delete(from);
      user(human).groups.add(to);
      tell(human, 'employee.moved');
    },
    suspend: (human) => set(human, 'SUSPENDED', 'employee.leave-began'),
    reactivate: (human) => set(human, 'ACTIVE', 'employee.leave-ended'),
    terminate: (human) => set(human, 'DEPROVISIONED', 'employee.left'),
    async deliver(url, times) {
      const statuses = await sender.flush(`${url}/hooks/hris`, times);
      if (statuses.some((status) => status !== 204)) throw new Error(`answered ${statuses.join()}`);
    },
    types: { hire: ['joined'], suspend: ['suspended'], terminate: ['terminated'] },
    close: okta.close,
  };
}

tellStory('signed webhooks of an HRIS, Okta as the truth', startHris, { push: true, poll: false });

describe('signed webhooks at the door', () => {
  it('a valid one is one row however often it comes; no change of it leaves a row', async () => {
    const sender = createWebhookSender([hmacKey(), ed25519Key()]);
    const [older, newer] = sender.keys.map((key) => key.shared);
    const okta = await startOktaEmulator();
    okta.addUser({ id: '00u1', email: 'jane@acme.com' });
    const world = await createWorld({
      roles: ['web'],
      sources: {
        authority: 'okta',
        yaml: `  okta: { type: okta, orgUrl: "${okta.url}", token: "\${OKTA_API_TOKEN}", hookSecret: unused-hook-secret, poll: off }
  hris: { type: webhook, signingSecret: ["${older}", "${newer}"] }
`,
      },
    });
    const rows = async () =>
      (await world.database.pool.query('select event_id, state, type, reason from inbox order by seq')).rows;
    const url = `${world.url}/hooks/hris`;
    const post = async (headers: Record<string, string>, body: Buffer): Promise<number> => {
      const response = await fetch(url, { method: 'POST', headers, body: new Uint8Array(body) });
      return response.status;
    };
    try {
      const body = Buffer.from(
        '{"type":"user.terminated","timestamp":"2026-11-24T10:00:00Z","data":{"email":"jane@acme.com"}}',
      );
      const message = { id: 'msg_1', body };
      for (const key of sender.keys) {
        const headers = signedHeaders(message, [key]);
        const [version, mac = ''] = headers['webhook-signature']?.split(',') ?? [];
        const old = signedHeaders(message, [key], new Date(Date.now() - 301_000));
        const changes: [Record<string, string>, Buffer][] = [
          [{}, body],
          [{ ...headers, 'webhook-id': 'msg_2' }, body],
          [{ ...headers, 'webhook-timestamp': String(Number(headers['webhook-timestamp']) + 1) }, body],
          [{ ...headers, 'webhook-signature': `${version},${mac.startsWith('A') ? 'B' : 'A'}${mac.slice(1)}` }, body],
          [headers, Buffer.from(body.toString().replace('jane', 'joan'))],
          [headers, Buffer.concat([body, Buffer.from(' ')])],
          [old, body],
        ];
        for (const [changed, bytes] of changes) expect(await post(changed, bytes)).toBe(401);
        const elsewhere = await fetch(`${world.url}/hooks/other`, {
          method: 'POST',
          headers,
          body: new Uint8Array(body),
        });
        expect(elsewhere.status).toBe(401);
      }
      expect(await rows()).toEqual([]);

      for (const keys of [sender.keys.slice(0, 1), sender.keys.slice(1), sender.keys]) {
        sender.keys = keys;
        expect(await sender.attempt(url, message)).toBe(204);
      }
      expect(
        await sender.attempt(url, { id: 'msg_3', body: Buffer.from('{"type":"user.terminated","data":{}}') }),
      ).toBe(204);
      expect(await rows()).toMatchObject([
        { event_id: 'msg_1', type: 'terminated' },
        { event_id: 'msg_3', state: 'quarantined', reason: expect.stringContaining('data.email') },
      ]);
    } finally {
      await world.end();
      await okta.close();
    }
  });
});
