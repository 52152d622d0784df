import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LogEventSeed } from '#test/emulators/okta/index.js';
import { lcg } from '#test/support/random.js';
import { createWorld, type World } from '#test/support/world.js';

function shuffled<T>(list: T[], next: () => number): T[] {
  const copy = [...list];
  for (let i = copy.length - 1; i > 0; i -= 1) {
    const j = Math.floor(next() * (i + 1));
    [copy[i], copy[j]] = [copy[j] as T, copy[i] as T];
  }
  return copy;
}

const people = Array.from({ length: 40 }, (_, i) => ({ id: `00u-p${i}`, email: `p${i}@acme.com` }));
/** Every third left, every fifth of the others is suspended. */
const statusOf = (i: number) => (i % 3 === 0 ? 'DEPROVISIONED' : i % 5 === 0 ? 'SUSPENDED' : 'ACTIVE');

describe('events in any order and number', () => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld({ accounts: [{ name: 'once' }, { name: 'shuffled' }] });
  });
  afterAll(() => world.end());

  const setUp = () => {
    people.forEach((person, i) => {
      world.okta.addUser({ ...person, status: statusOf(i) });
      for (const name of ['once', 'shuffled']) world.account(name).addTeammate({ email: person.email });
    });
  };
  const stateOf = (name: string) =>
    [...world.account(name).teammates.values()]
      .filter((mate) => mate.user_type !== 'owner')
      .map(({ username, scopes, is_admin }) => ({ username, scopes: [...scopes].sort(), is_admin }))
      .sort((a, b) => (a.username < b.username ? -1 : 1));

  it('1,000 duplicated and shuffled ones end in the state that the directory describes, each effect once', async () => {
    setUp();
    const types = [
      'user.lifecycle.suspend',
      'user.lifecycle.deactivate',
      'user.lifecycle.unsuspend',
      'user.account.update_profile',
      'user.lifecycle.activate',
    ];
    const distinct: LogEventSeed[] = people.flatMap((person, i) =>
      types.map((eventType) => world.event(eventType, person, { uuid: `e-${i}-${eventType}` })),
    );
    const next = lcg(Number(process.env.SEED ?? 7));
    const all = shuffled(Array.from({ length: 5 }, () => distinct).flat(), next);
    expect(all).toHaveLength(1_000);

    for (let at = 0; at < all.length; at += 50) {
      const batch = all.slice(at, at + 50);
      const statuses = await Promise.all(
        Array.from({ length: 10 }, (_, k) => world.post(...batch.slice(k * 5, k * 5 + 5))),
      );
      expect(new Set(statuses)).toEqual(new Set([204]));
    }
    await world.quiet();

    const expected = people
      .map((person, i) => ({ username: person.email, status: statusOf(i) }))
      .filter(({ status }) => status !== 'DEPROVISIONED')
      .map(({ username, status }) => ({
        username,
        scopes: status === 'SUSPENDED' ? ['user.profile.read'] : ['mail.send', 'templates.read'],
        is_admin: false,
      }))
      .sort((a, b) => (a.username < b.username ? -1 : 1));
    expect(stateOf('shuffled')).toEqual(expected);
    expect(stateOf('once')).toEqual(expected);
    // Each effect once: nobody was deleted or restricted a second time.
    const effects = world.sendgrid.applied().map((entry) => `${entry.account} ${entry.method} ${entry.path}`);
    expect(effects).toHaveLength(new Set(effects).size);
    const rows = await world.database.pool.query('select count(*)::int as n from inbox');
    expect(rows.rows[0].n).toBe(distinct.length);
  }, 240_000);

  it('a rehire that overtakes the termination wins: the directory decides, not the order of events', async () => {
    const rita = world.hire('rita');
    world.okta.setStatus(rita.id, 'ACTIVE');
    await world.post(world.event('user.lifecycle.activate', rita));
    await world.post(world.event('user.lifecycle.deactivate', rita));
    await world.quiet();
    expect(world.account('once').has(rita.email)).toBe(true);
  });

  it('a rehire while the removal still waits cancels it', async () => {
    const rolf = world.hire('rolf');
    const fault = world.sendgrid.faults.inject({ method: 'DELETE', fault: { kind: 'status', status: 500 } });
    world.okta.setStatus(rolf.id, 'DEPROVISIONED');
    await world.post(world.event('user.lifecycle.deactivate', rolf));
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    world.okta.setStatus(rolf.id, 'ACTIVE');
    await world.post(world.event('user.lifecycle.activate', rolf));
    await new Promise((resolve) => setTimeout(resolve, 500));
    fault.remove();
    await world.quiet();
    expect(world.account('once').has(rolf.email)).toBe(true);
    expect(world.account('shuffled').has(rolf.email)).toBe(true);
  });

  it('suspends to the least scopes and gives back on return what was there, for SSO and password teammates', async () => {
    const uma = { id: '00u-uma', email: 'uma@acme.com' };
    world.okta.addUser(uma);
    world.account('once').addTeammate({ email: uma.email, is_admin: true });
    world.account('shuffled').addTeammate({ email: uma.email, is_sso: false, scopes: ['stats.read', 'mail.send'] });
    for (const name of ['once', 'shuffled']) {
      world.account(name).addTeammate({ email: `${name}-second@acme.com`, is_admin: true });
    }
    world.okta.setStatus(uma.id, 'SUSPENDED');
    await world.post(world.event('user.lifecycle.suspend', uma));
    await world.quiet();
    for (const name of ['once', 'shuffled']) {
      expect(world.account(name).teammate(uma.email)).toMatchObject({ is_admin: false, scopes: ['user.profile.read'] });
    }
    world.okta.setStatus(uma.id, 'ACTIVE');
    await world.post(world.event('user.lifecycle.unsuspend', uma));
    await world.quiet();
    expect(world.account('once').teammate(uma.email)).toMatchObject({ is_admin: true });
    expect(world.account('shuffled').teammate(uma.email)?.scopes).toEqual(
      expect.arrayContaining(['mail.send', 'stats.read']),
    );
  });
});
