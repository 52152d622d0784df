import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { until } from '#test/support/sendoff.js';
import { adminToken, createWorld, type World } from '#test/support/world.js';

interface Item {
  id: string;
  state: string;
  reason: string | null;
  lastError: string | null;
  attempts: number;
}
interface Page {
  items: Item[];
}

const leaver = async (world: World, name: string) => {
  const person = world.hire(name);
  world.okta.setStatus(person.id, 'DEPROVISIONED');
  await world.post(world.event('user.lifecycle.deactivate', person));
  return person;
};

describe('when one answer goes wrong', () => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld();
  });
  afterAll(() => world.end());
  const leave = (name: string) => leaver(world, name);

  it.each<[string, Parameters<World['sendgrid']['faults']['inject']>[0]['fault']]>([
    ['answers a deletion by hanging, having carried it out', { kind: 'apply-then-hang' }],
    ['drops the connection, having carried it out', { kind: 'apply-then-reset' }],
    ['drops the connection, having done nothing', { kind: 'reset' }],
    ['answers 500', { kind: 'status', status: 500 }],
    ['answers 429 with Retry-After', { kind: 'status', status: 429, retryAfter: 1 }],
    ['accepts and does nothing', { kind: 'accept-and-ignore' }],
    ['redirects', { kind: 'redirect', location: 'http://127.0.0.1:1/' }],
  ])(
    'SendGrid %s: the person is removed once, and it is read back',
    async (_, fault) => {
      world.sendgrid.faults.inject({ method: 'DELETE', times: 1, fault });
      const before = world.sendgrid.applied().length;
      const jane = await leave(`jane${before}`);
      await until('jane is gone', () => !world.account().has(jane.email));
      await world.quiet();

      expect(world.sendgrid.applied()).toHaveLength(before + 1);
      const { items } = await world.json<Page>('plans', 'list');
      expect(items[0]?.state).toBe('settled');
    },
    60_000,
  );

  it.each(['status', 'hang', 'reset', 'garbage'] as const)(
    'the directory is away (%s): the event waits, visibly, and nothing is planned on a guess',
    async (kind) => {
      const jane = world.hire(`jane-${kind}`);
      world.okta.setStatus(jane.id, 'DEPROVISIONED');
      world.okta.fault = kind === 'status' ? { kind, status: 503 } : { kind };
      await world.post(world.event('user.lifecycle.deactivate', jane));
      const waiting = await until('the event waits', async () => {
        const { items } = await world.json<Page>('events', 'list');
        return items.find((event) => event.state === 'waiting');
      });
      expect(waiting.reason).toContain('no clear answer');
      expect(
        (await world.json<{ items: { person: { email: string } }[] }>('plans', 'list')).items.filter(
          (plan) => plan.person.email === jane.email,
        ),
      ).toEqual([]);
      expect(world.account().has(jane.email)).toBe(true);

      world.okta.fault = null;
      await world.quiet();
      expect(world.account().has(jane.email)).toBe(false);
    },
    90_000,
  );
});

describe('when the other side fails', () => {
  let world: World;
  afterEach(() => world.end());

  const leave = (name: string) => leaver(world, name);
  const deletions = (account = 'marketing') =>
    world.sendgrid.journal.filter((entry) => entry.account === account && entry.method === 'DELETE');

  it('SendGrid answers lists with nonsense: nobody is taken for absent, and it is tried again', async () => {
    world = await createWorld();
    const fault = world.sendgrid.faults.inject({
      path: /^\/v3\/teammates$/,
      fault: { kind: 'garbage', body: '<html>' },
    });
    const jane = await leave('jane');
    await until('the account was not read', async () => {
      const { items } = await world.json<{ items: { state: string; notRead: { account: string }[] }[] }>(
        'plans',
        'list',
      );
      return items[0]?.state === 'waiting' && items[0].notRead[0]?.account === 'marketing';
    });
    expect(world.account().has(jane.email)).toBe(true);
    fault.remove();
  }, 240_000);

  it('a short page is never the end of the list', async () => {
    world = await createWorld();
    for (let i = 0; i < 620; i += 1) world.account().addTeammate({ email: `other${i}@acme.com` });
    world.sendgrid.faults.inject({
      method: 'GET',
      path: /^\/v3\/teammates$/,
      fault: { kind: 'short-page', length: 50 },
    });
    const zoe = await leave('zoe');
    await world.quiet();
    expect(world.account().has(zoe.email)).toBe(false);
    expect(world.account().teammates.size).toBe(621);
  });

  it('SendGrid revokes the key: work waits, another account is not held up, and all goes on with a valid key', async () => {
    world = await createWorld({ accounts: [{ name: 'marketing' }, { name: 'other' }] });
    world.account('marketing').revoked = true;
    const jane = await leave('jane');
    await until('jane is out of the other account', () => !world.account('other').has(jane.email));
    expect(world.account('marketing').has(jane.email)).toBe(true);
    const doctor = await world.workplace.run(['doctor', '--json']);
    expect(doctor.code).toBe(1);
    expect(
      JSON.parse(doctor.stdout).checks.some(
        (check: { ok: boolean; name: string }) => !check.ok && check.name.includes('marketing'),
      ),
    ).toBe(true);

    world.account('marketing').revoked = false;
    await until('jane is out of marketing', () => !world.account('marketing').has(jane.email), 90_000);
    await world.quiet();
    expect(deletions('marketing')).toHaveLength(1);
  }, 150_000);

  it('the directory says "not found" to everything: that proves nothing', async () => {
    world = await createWorld();
    const jane = world.hire('jane');
    await world.post(world.event('user.account.update_profile', jane));
    await world.quiet();
    world.okta.fault = { kind: 'status', status: 404, body: { errorCode: 'E0000007', errorSummary: 'Not found' } };
    await world.post(world.event('user.lifecycle.deactivate', jane));
    await until(
      'the event waits',
      async () => (await world.json<Page>('events', 'list', '--state', 'waiting')).items[0],
    );
    expect(world.account().has(jane.email)).toBe(true);
  });

  it('a definitive refusal fails the job, which can be retried from the dashboard', async () => {
    world = await createWorld();
    const fault = world.sendgrid.faults.inject({ method: 'DELETE', fault: { kind: 'status', status: 403 } });
    const jane = await leave('jane');
    const failed = await until(
      'the action failed',
      async () => (await world.json<Page>('actions', 'list', '--state', 'failed')).items[0],
    );
    expect(failed.lastError).toContain('403');
    fault.remove();

    const headers = { authorization: `Bearer ${adminToken}` };
    const board = await until('the job is listed as failed', async () => {
      const answer = await fetch(`${world.url}/queues/api/queues?activeQueue=actions&status=failed&page=1`, {
        headers,
      });
      const { queues } = (await answer.json()) as { queues: { name: string; jobs: { id: string }[] }[] };
      return queues.find((queue) => queue.name === 'actions')?.jobs[0]?.id;
    });
    const retried = await fetch(`${world.url}/queues/api/queues/actions/${board}/retry`, { method: 'PUT', headers });
    expect([retried.status, await retried.text()]).toEqual([204, '']);
    await until('jane is gone', () => !world.account().has(jane.email));
    await world.quiet();
    expect((await world.json<Page>('plans', 'list')).items[0]?.state).toBe('settled');
  });
});
