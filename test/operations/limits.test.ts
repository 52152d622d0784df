import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWorld, type World } from '#test/support/world.js';

interface PlanItem {
  id: string;
  state: string;
  person: { email: string };
  actions: { account: string; state: string }[];
  hold: { reasons: string[] } | null;
}

const plansIn = async (world: World) => (await world.json<{ items: PlanItem[] }>('plans', 'list', '--all')).items;
const newestPlan = async (world: World, email: string): Promise<PlanItem> => {
  const plan = (await plansIn(world)).find((one) => one.person.email === email);
  if (plan === undefined) throw new Error(`no plan of ${email}`);
  return plan;
};
const removalsIn = (world: World, account: string) =>
  world.sendgrid.applied().filter((entry) => entry.account === account && entry.method === 'DELETE').length;

/** They leave, all in one moment. */
const leave = async (world: World, people: { id: string; email: string }[]) => {
  for (const { id } of people) world.okta.setStatus(id, 'DEPROVISIONED');
  const answers = await Promise.all(
    people.map((person) => world.post(world.event('user.lifecycle.deactivate', person))),
  );
  expect(new Set(answers)).toEqual(new Set([204]));
  await world.quiet();
};

describe('limits.removals', () => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld({
      accounts: [{ name: 'small' }, { name: 'middle' }, { name: 'large' }],
      config: 'limits: { removals: { floor: 2, share: 0.1, max: 4 } }\n',
    });
  });
  afterAll(() => world.end());

  /** People of one account alone. */
  const staff = (account: string, from: number, to: number) =>
    Array.from({ length: to - from }, (_, i) => {
      const person = { id: `00u-${account}${from + i}`, email: `${account}${from + i}@acme.com` };
      world.okta.addUser(person);
      world.account(account).addTeammate({ email: person.email });
      return person;
    });

  it.each([
    ['small', 8, 2, 'the floor'],
    ['middle', 38, 3, 'the share, rounded down'],
    ['large', 70, 4, 'the maximum'],
  ])('of %s with %i teammates %i leave at most: %s; the rest is held with the reason', async (account, size, cap) => {
    const people = staff(account, 0, size).slice(0, 6);
    await leave(world, people);

    expect(removalsIn(world, account)).toBe(cap);
    const gone = people.filter(({ email }) => !world.account(account).has(email));
    expect(gone).toHaveLength(cap);
    const plans = await plansIn(world);
    for (const { email } of people) {
      const plan = plans.find((one) => one.person.email === email);
      const held = !gone.some((one) => one.email === email);
      expect([email, plan?.state]).toEqual([email, held ? 'held' : 'settled']);
      if (held) expect(plan?.hold?.reasons.join()).toContain(`removal-limit: ${account}: ${cap} people`);
    }
  });

  it('a held one goes once approved, and counts; the window rolls, in the database', async () => {
    const held = (await plansIn(world)).filter(
      (plan) => plan.state === 'held' && plan.person.email.startsWith('small'),
    );
    expect(held).toHaveLength(4);
    // What was removed so far is older than the window; then somebody approves two.
    await world.database.pool.query(
      `update action set finished_at = finished_at - interval '24 hours' where account = 'small' and state = 'done'`,
    );
    for (const plan of held.slice(0, 1)) {
      expect((await world.workplace.run(['plans', 'approve', plan.id])).code).toBe(0);
    }
    await world.quiet();
    expect(removalsIn(world, 'small')).toBe(3);

    // One place is left of two, and the restart in between forgets nothing.
    await world.running[0]?.stop();
    await world.start();
    await leave(world, staff('small', 8, 11));
    expect(removalsIn(world, 'small')).toBe(4);
  });

  it('with nothing said the rolling window is a day: what is younger counts', async () => {
    const counted = await world.database.pool.query(
      `update action set finished_at = now() - interval '23 hours 50 minutes'
       where account = 'small' and state = 'done' and finished_at > now() - interval '1 hour'`,
    );
    expect(counted.rowCount).toBe(2);
    await leave(world, staff('small', 11, 12));
    expect(removalsIn(world, 'small')).toBe(4);
    await world.database.pool.query(
      `update action set finished_at = finished_at - interval '20 minutes' where account = 'small' and state = 'done'`,
    );
    await leave(world, staff('small', 12, 13));
    expect(removalsIn(world, 'small')).toBe(5);
  });
});

describe('twenty leavers at once over two worker processes', () => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld({
      roles: ['web', 'worker', 'worker'],
      latencyMs: 20,
      accounts: [{ name: 'marketing' }, { name: 'other' }],
      config: 'limits: { removals: { floor: 7, share: 0, max: 7 } }\n',
    });
  });
  afterAll(() => world.end());

  it.each([1, 2, 3, 4, 5, 6])(
    'never exceed the limit by one (round %i)',
    async (round) => {
      const before = { marketing: removalsIn(world, 'marketing'), other: removalsIn(world, 'other') };
      const people = Array.from({ length: 20 }, (_, i) => world.hire(`r${round}p${i}`));
      await leave(world, people);
      // The next round begins in an empty window.
      await world.database.pool.query(`update action set finished_at = finished_at - interval '2 days'`);

      expect([removalsIn(world, 'marketing') - before.marketing, removalsIn(world, 'other') - before.other]).toEqual([
        7, 7,
      ]);
    },
    120_000,
  );
});

describe('whom nobody may remove without a human', () => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld({
      accounts: [
        {
          name: 'guarded',
          owner: { username: 'acme-guarded', email: 'founder@acme.com' },
          keyUsername: 'robot@acme.com',
        },
        { name: 'other' },
        { name: 'watched', mode: 'observe' },
        { name: 'granted' },
      ],
      config: `protect: [u-vip]
roles: { reader: { scopes: [mail.send, templates.read] } }
grants: [{ group: Readers, account: granted, role: reader }]
`,
    });
  });
  afterAll(() => world.end());

  const person = (name: string, more: object = {}) => {
    const one = { id: `00u-${name}`, email: `${name}@acme.com`, ...more };
    world.okta.addUser(one);
    world.account('other').addTeammate({ email: one.email });
    return one;
  };
  /** They are gone from the other account, and nothing happened to them in this one. */
  const expectHeld = async (email: string, rule: string) => {
    expect(world.account('other').has(email)).toBe(false);
    expect(world.account('guarded').has(email)).toBe(true);
    const plan = await newestPlan(world, email);
    expect(plan.state).toBe('held');
    expect(plan.hold?.reasons.join('\n')).toMatch(new RegExp(`^${rule}: .*guarded`, 'm'));
    const touched = world.sendgrid.applied().filter((entry) => entry.account === 'guarded');
    expect(touched).toEqual([]);
  };

  it('whoever is in an account that is only observed: planned, and removed elsewhere', async () => {
    const ada = person('ada');
    world.account('watched').addTeammate({ email: ada.email });
    await leave(world, [ada]);
    expect(world.account('other').has(ada.email)).toBe(false);
    expect(world.account('watched').has(ada.email)).toBe(true);
    expect((await newestPlan(world, ada.email)).state).toBe('planned');
  });

  it('a username under `protect`, where somebody has it', async () => {
    const vip = person('vip');
    world.account('guarded').addTeammate({ email: vip.email, is_sso: false, username: 'u-vip' });
    await leave(world, [vip]);
    await expectHeld(vip.email, 'protected');
  });

  it('the owner of an account', async () => {
    const founder = person('founder');
    await leave(world, [founder]);
    await expectHeld(founder.email, 'owner');
  });

  it('the user whose key Sendoff works with', async () => {
    const robot = person('robot');
    world.account('guarded').addTeammate({ email: robot.email });
    await leave(world, [robot]);
    await expectHeld(robot.email, 'own-key');
  });

  it('the last admins but one', async () => {
    const boss = person('boss');
    world.account('guarded').addTeammate({ email: boss.email, is_admin: true });
    await leave(world, [boss]);
    await expectHeld(boss.email, 'last-admin');
  });

  it('of two admins who leave at once, the one without whom too few are left', async () => {
    const [eve, fay] = [person('eve'), person('fay')];
    for (const { email } of [eve, fay]) world.account('other').addTeammate({ email, is_admin: true });
    await leave(world, [eve, fay]);
    const left = [eve, fay].filter(({ email }) => world.account('other').has(email));
    expect(left).toHaveLength(1);
    const plan = await newestPlan(world, left[0]?.email ?? '');
    expect(plan.hold?.reasons.join()).toContain('last-admin');
  });

  it('whose address the directory gives to two people', async () => {
    const old = person('reused', { secondEmail: 'old@acme.com' });
    world.okta.addUser({ id: '00u-reused-2', email: old.email });
    world.account('guarded').addTeammate({ email: old.email });
    world.account('other').teammates.delete(old.email);
    world.account('other').addTeammate({ email: 'old@acme.com' });
    await leave(world, [old]);
    expect(world.account('other').has('old@acme.com')).toBe(false);
    await expectHeld(old.email, 'ambiguous');
  });

  it('who has no grant any more, under an address that a colleague with one has too', async () => {
    const [lost, kept] = [person('lost'), person('kept')];
    world.okta.users.get(kept.id)?.groups.add('Readers');
    world.okta.users.get(lost.id)?.groups.add('Readers');
    world.account('granted').addTeammate({ email: lost.email });
    await world.post(world.event('user.account.update_profile', lost));
    await world.quiet();
    Object.assign(world.okta.users.get(kept.id)?.profile ?? {}, { secondEmail: lost.email });
    world.okta.users.get(lost.id)?.groups.clear();
    await world.post(world.event('group.user_membership.remove', lost));
    await world.quiet();
    expect(world.account('granted').has(lost.email)).toBe(true);
    expect((await newestPlan(world, lost.email)).hold?.reasons.join()).toMatch(/ambiguous: .*two ids/);
  });

  it('whose address belonged to somebody else when it was tied to the teammate', async () => {
    const first = { id: '00u-ivy-1', email: 'ivy@acme.com' };
    world.okta.addUser(first);
    world.account('guarded').addTeammate({ email: first.email });
    await world.post(world.event('user.account.update_profile', first));
    await world.quiet();
    world.okta.deleteUser(first.id);

    const second = { id: '00u-ivy-2', email: first.email };
    world.okta.addUser(second);
    world.account('other').addTeammate({ email: second.email });
    await leave(world, [second]);
    await expectHeld(second.email, 'ambiguous');
  });

  it('whose address two teammates have, differing only in case', async () => {
    const twin = person('twin');
    world.account('guarded').addTeammate({ email: 'twin@acme.com' });
    world.account('guarded').addTeammate({ email: 'Twin@acme.com' });
    await leave(world, [twin]);
    await expectHeld(twin.email, 'ambiguous');
    expect(world.account('guarded').teammates.has('Twin@acme.com')).toBe(true);
  });
});
