import { afterAll, expect, it } from 'vitest';
import { until } from '#test/support/sendoff.js';
import { createWorld } from '#test/support/world.js';

// The built Sendoff as an operator runs it: a token made at the terminal opens the API, and what is ordered there is done.

const world = await createWorld({ accounts: [{ name: 'marketing', mode: 'approve' }] });
afterAll(() => world.end());

it('a leaver is ordered off, approved, removed and proven over the API alone', async () => {
  const jane = world.hire('jane');
  const { token } = await world.json<{ token: string }>('tokens', 'create', 'automation', '--role', 'approver');
  const ask = async (path: string, body?: object) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const answer = await fetch(`${world.url}/api/v1/${path}`, {
      headers: body === undefined ? { authorization: headers.authorization } : headers,
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    });
    // biome-ignore lint/suspicious/noExplicitAny: whatever the API answers
    return (await answer.json()) as any;
  };

  const { eventId } = await ask('orders/offboard', { email: jane.email, reason: 'left' });
  const event = await until('it was planned', async () => {
    const one = await ask(`events/${eventId}`);
    return one.plans.length > 0 ? one : null;
  });
  const held = await ask(`plans/${event.plans[0]}`);
  expect(held).toMatchObject({ state: 'held', actions: [{ kind: 'deprovision', state: 'waiting' }] });
  await ask(`plans/${held.id}/approve`, { setHash: held.hold.setHash, reason: 'known' });
  await until('she is out', async () => (await ask(`plans/${held.id}`)).state === 'settled');
  expect(world.account().has(jane.email)).toBe(false);

  const person = await ask(`people/${held.person.id}`);
  expect(person).toMatchObject({ footprints: [], actions: [{ state: 'done' }], orders: [{ by: 'token:automation' }] });
  expect(person.timeline.map(({ kind }: { kind: string }) => kind)).toContain('action');
  const { items } = await ask(`audit?personId=${held.person.id}&kind=person.settled`);
  expect(items).toHaveLength(1);

  const request = await ask('reconciliations', { mode: 'cheap' });
  await until('it was compared', async () => (await ask(`reconciliations/requests/${request.id}`)).state === 'done');
  const runs = await ask('reconciliations');
  expect(runs.items[0]).toMatchObject({ state: 'done', by: 'token:automation' });
  const roster = await ask('accounts/marketing/roster');
  expect(roster.items.length).toBeGreaterThan(0);
});
