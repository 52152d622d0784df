import { afterEach, describe, expect, it } from 'vitest';
import { until } from '#test/support/sendoff.js';
import { createWorld, type World } from '#test/support/world.js';

interface Outcome {
  account: string;
  complete: boolean;
  teammates: number;
  drift: { kind: string; email: string; plan: string | null }[];
  plans: { id: string; state: string; person: { email: string } }[];
  problems: string[];
}
interface PlanItem {
  id: string;
  state: string;
  person: { email: string };
  cause: { source: string; event: string };
  hold: { reasons: string[] } | null;
}

/** Without a worker: nothing else compares, and what may go can be seen before it goes. */
const alone = { roles: [] as [] };

describe('sendoff reconcile', () => {
  let world: World;
  afterEach(() => world.end());

  const reconcile = async (...more: string[]): Promise<{ code: number; accounts: Outcome[]; stderr: string }> => {
    const { code, stdout, stderr } = await world.workplace.run(['reconcile', '--once', '--json', ...more]);
    if (stdout === '') throw new Error(stderr);
    return { code, stderr, ...(JSON.parse(stdout) as { accounts: Outcome[] }) };
  };
  const of = ({ accounts }: { accounts: Outcome[] }, name = 'marketing'): Outcome => {
    const found = accounts.find(({ account }) => account === name);
    if (found === undefined) throw new Error(`nothing about ${name}`);
    return found;
  };
  const plans = async () => (await world.json<{ items: PlanItem[] }>('plans', 'list', '--all')).items;
  const rows = async <T>(query: string): Promise<T[]> => (await world.database.pool.query(query)).rows as T[];
  const gone = (...people: { id: string }[]) => {
    for (const { id } of people) world.okta.setStatus(id, 'DEPROVISIONED');
  };
  const staff = (count: number, prefix = 'p') => Array.from({ length: count }, (_, i) => world.hire(`${prefix}${i}`));
  const removals = () => world.sendgrid.applied().filter((entry) => entry.method === 'DELETE');
  /** Everything that may go has gone. */
  const carriedOut = async () => {
    await world.start('worker');
    await world.quiet();
  };

  it('finds a leaver whose event never came: removed, held or only planned, as each account’s mode says', async () => {
    world = await createWorld({
      ...alone,
      accounts: [{ name: 'enforcing' }, { name: 'approving', mode: 'approve' }, { name: 'watching', mode: 'observe' }],
    });
    const person = (name: string, account: string) => {
      const one = { id: `00u-${name}`, email: `${name}@acme.com` };
      world.okta.addUser(one);
      world.account(account).addTeammate({ email: one.email });
      return one;
    };
    const [ann, ben, cy] = [person('ann', 'enforcing'), person('ben', 'approving'), person('cy', 'watching')];
    person('stays', 'enforcing');
    gone(ann, ben, cy);

    const found = await reconcile();
    expect(found.code).toBe(3);
    expect(found.accounts.map(({ account, complete, teammates }) => ({ account, complete, teammates }))).toEqual([
      { account: 'approving', complete: true, teammates: 2 },
      { account: 'enforcing', complete: true, teammates: 3 },
      { account: 'watching', complete: true, teammates: 2 },
    ]);
    for (const [account, email, state] of [
      ['enforcing', ann.email, 'applying'],
      ['approving', ben.email, 'held'],
      ['watching', cy.email, 'planned'],
    ] as const) {
      const outcome = of(found, account);
      expect(outcome.plans).toMatchObject([{ state, person: { email } }]);
      expect(outcome.drift).toMatchObject([{ kind: 'leaver', email, plan: outcome.plans[0]?.id }]);
    }

    await carriedOut();
    expect(world.account('enforcing').has(ann.email)).toBe(false);
    expect(removals()).toHaveLength(1);

    // The same again: nothing new is planned for those who still wait.
    const before = (await plans()).length;
    const again = await reconcile();
    expect(again.code).toBe(3);
    expect(of(again, 'enforcing')).toMatchObject({ drift: [], plans: [] });
    expect(of(again, 'approving').plans).toEqual(of(found, 'approving').plans);
    expect(of(again, 'watching').plans).toEqual(of(found, 'watching').plans);
    const one = await reconcile('--account', 'watching', '--as', 'ann');
    expect([one.code, one.accounts.map(({ account }) => account)]).toEqual([0, ['watching']]);
    expect(await plans()).toHaveLength(before);
    expect((await world.workplace.run(['reconcile', '--account', 'nowhere'])).code).toBe(2);

    const lines = (await world.workplace.run(['audit', 'export'])).stdout.trimEnd().split('\n');
    const finished = lines
      .map((line) => JSON.parse(line) as { kind: string; account: string; actor: string; detail: object })
      .filter(({ kind, actor }) => kind === 'reconcile.finished' && actor === 'operator:ann');
    expect(finished).toMatchObject([{ account: 'watching', detail: { complete: true, teammates: 2, plans: 1 } }]);
  }, 240_000);

  it('runs that find the same again and again do not pile up plans, whatever the policy wants done', async () => {
    world = await createWorld({
      ...alone,
      accounts: [{ name: 'marketing' }, { name: 'watching', mode: 'observe' }],
      config: 'offboarding: { terminated: keep, suspended: keep }\nprotect: [vip@acme.com]\n',
    });
    const [left, away, vip] = [world.hire('left'), world.hire('away'), world.hire('vip')];
    gone(left, vip);
    world.okta.setStatus(away.id, 'SUSPENDED');
    for (const name of ['marketing', 'watching']) world.account(name).addTeammate({ email: 'nobody@acme.com' });
    await reconcile();
    const before = (await plans()).length;
    await reconcile();
    await reconcile();
    expect(await plans()).toHaveLength(before);
  }, 240_000);

  it.each(['report', 'remove'] as const)('orphans: %s', async (orphans) => {
    world = await createWorld({ ...alone, config: `reconcile: { orphans: ${orphans} }\n` });
    world.hire('stays');
    world.account().addTeammate({ email: 'nobody@acme.com' });
    world.account().invite({ email: 'nobody2@acme.com' });

    const { drift } = of(await reconcile());
    expect(drift.map(({ kind, email }) => `${kind} ${email}`).sort()).toEqual([
      'orphan nobody2@acme.com',
      'orphan nobody@acme.com',
    ]);
    await carriedOut();
    const there = orphans === 'report';
    expect([world.account().has('nobody@acme.com'), world.account().has('nobody2@acme.com')]).toEqual([there, there]);
    expect(world.account().has('stays@acme.com')).toBe(true);
  });

  it.each([
    ['lists nobody', () => world.okta.users.clear()],
    [
      'lists fewer than 80 % of last time',
      () => {
        for (const id of [...world.okta.users.keys()].slice(0, 4)) world.okta.deleteUser(id);
      },
    ],
  ])('a directory that %s removes nobody', async (_, shrink) => {
    world = await createWorld({ ...alone, config: 'reconcile: { orphans: remove }\n' });
    staff(12);
    expect(of(await reconcile()).complete).toBe(true);

    shrink();
    gone(...[...world.okta.users.values()].slice(-1));
    // Not only once: what was not believed is no measure for the next time.
    for (const _round of [1, 2]) {
      const outcome = of(await reconcile());
      expect(outcome.complete).toBe(false);
      await carriedOut();
      expect(removals()).toEqual([]);
    }
    for (const { cause } of await plans()) {
      // A replay is no answer: the reason stays.
      expect((await world.workplace.run(['events', 'replay', cause.event])).code).toBe(0);
    }
    await carriedOut();
    expect(removals()).toEqual([]);
    for (const plan of (await plans()).filter(({ state }) => state !== 'superseded')) {
      expect(plan.state).toBe('held');
      expect(plan.hold?.reasons.join()).toContain('snapshot');
    }
  });

  it('a roster with fewer than 80 % of last time’s teammates removes nobody, unless Sendoff itself removed them', async () => {
    world = await createWorld({ ...alone });
    const people = staff(14);
    await reconcile();
    for (const { email } of people.slice(0, 4)) world.account().teammates.delete(email);
    gone(...people.slice(-1));

    const found = await reconcile();
    expect(found.code).toBe(3);
    expect(of(found)).toMatchObject({ complete: false, plans: [{ state: 'held' }] });
    expect((await plans())[0]?.hold?.reasons.join()).toContain('snapshot');
    await carriedOut();
    expect(removals()).toEqual([]);
  });

  it('an operator can say that a directory which shrank is right', async () => {
    world = await createWorld({ ...alone });
    staff(12);
    await reconcile();
    for (const id of [...world.okta.users.keys()].slice(0, 4)) world.okta.deleteUser(id);
    expect(of(await reconcile()).complete).toBe(false);
    expect(of(await reconcile('--accept-shrink')).complete).toBe(true);
    expect(of(await reconcile()).complete).toBe(true);
  }, 240_000);

  it('a roster that shrank because people were offboarded is believed', async () => {
    world = await createWorld({ ...alone });
    const people = staff(20);
    // Else the directory's list shrinks as well.
    for (let i = 0; i < 20; i += 1) world.okta.addUser({ id: `00u-other${i}`, email: `other${i}@acme.com` });
    await reconcile();
    gone(...people.slice(0, 6));
    await reconcile();
    await carriedOut();
    expect(removals()).toHaveLength(6);

    gone(...people.slice(6, 7));
    const found = await reconcile();
    expect([found.code, of(found).complete]).toEqual([0, true]);
    await world.quiet();
    expect(removals()).toHaveLength(7);
  }, 240_000);

  it.each([
    ['limits.removals', 'limits: { removals: { floor: 2, share: 0, max: 2 }, runShare: 1 }', 3],
    ['limits.runShare', 'limits: { removals: { floor: 100, max: 100 }, runShare: 0.2 }', 5],
  ])(
    'a run that by itself exceeds %s is held whole, in every account of those people',
    async (name, config, leavers) => {
      world = await createWorld({
        ...alone,
        accounts: [{ name: 'marketing' }, { name: 'other' }],
        config: `${config}\n`,
      });
      gone(...staff(20).slice(0, leavers));

      const found = await reconcile();
      expect(found.code).toBe(3);
      const all = await plans();
      expect(all.map(({ state }) => state)).toEqual(Array(leavers).fill('held'));
      for (const { hold } of all) {
        expect(hold?.reasons.join()).toContain('run-limit: marketing');
        expect(hold?.reasons.join()).toContain('run-limit: other');
        expect(hold?.reasons.join()).toContain(name);
      }
      await carriedOut();
      expect(removals()).toEqual([]);
    },
  );

  it('what a run is held for in one account does not hold its people in another', async () => {
    world = await createWorld({
      ...alone,
      accounts: [{ name: 'a-small' }, { name: 'b-large' }],
      config: 'limits: { removals: { floor: 100, max: 100 }, runShare: 0.3 }\n',
    });
    const people = staff(12);
    for (let i = 0; i < 20; i += 1) {
      world.okta.addUser({ id: `00u-more${i}`, email: `more${i}@acme.com` });
      world.account('b-large').addTeammate({ email: `more${i}@acme.com` });
    }
    gone(...people.slice(0, 5));
    expect((await reconcile()).code).toBe(3);
    await carriedOut();
    expect(removals().map(({ account }) => account)).toEqual(Array(5).fill('b-large'));
  });

  it('an account that cannot be read is not complete, and the others go on', async () => {
    world = await createWorld({ ...alone, accounts: [{ name: 'broken' }, { name: 'marketing' }] });
    staff(2);
    const jane = world.hire('jane');
    gone(jane);
    world.sendgrid.faults.inject({ account: 'broken', fault: { kind: 'status', status: 500 } });

    const found = await reconcile();
    expect(found.code).not.toBe(0);
    expect(of(found, 'broken')).toMatchObject({ complete: false, drift: [], plans: [] });
    expect(of(found, 'broken').problems.join()).toContain('500');
    expect(of(found)).toMatchObject({ complete: true, drift: [{ email: jane.email }] });
    await world.start('worker');
    await until('jane is out of the account that can be read', () => !world.account('marketing').has(jane.email));
    world.sendgrid.faults.clear();
  });

  it('a second run waits for the first', async () => {
    world = await createWorld({ ...alone });
    staff(3);
    world.sendgrid.faults.inject({ path: /^\/v3\/teammates$/, fault: { kind: 'slow', ms: 2_000 } });
    const [a, b] = await Promise.all([reconcile('--as', 'ann'), reconcile('--as', 'ben')]);
    expect([a.code, b.code]).toEqual([0, 0]);
    expect([a, b].filter(({ stderr }) => stderr.includes('waiting for a comparison by operator:'))).toHaveLength(1);
    const [first, second] = await rows<{ started_at: Date; finished_at: Date }>(
      'select started_at, finished_at from reconcile_run order by seq',
    );
    expect(second?.started_at.getTime()).toBeGreaterThanOrEqual(first?.finished_at.getTime() ?? 0);
  });
});

describe('the scheduled comparison', () => {
  let world: World;
  afterEach(() => world.end());
  const runs = async (where = 'true'): Promise<number> =>
    (await world.database.pool.query(`select count(*)::int as n from reconcile_run where ${where}`)).rows[0].n;

  it('runs at start and every `every`, and removes whom no event announced', async () => {
    world = await createWorld({ config: 'reconcile: { every: 1s }\n' });
    world.hire('stays');
    const jane = world.hire('jane');
    await until('the next runs are through', async () => (await runs('finished_at is not null')) >= 3);
    expect(world.account().has(jane.email)).toBe(true);
    world.okta.setStatus(jane.id, 'DEPROVISIONED');
    await until('jane is gone', () => !world.account().has(jane.email));
    await world.quiet();
    const { items } = await world.json<{ items: PlanItem[] }>('plans', 'list', '--all');
    expect(items.map(({ state, cause }) => [state, cause.source])).toEqual([['settled', 'reconcile']]);
  });

  it('one that was killed midway is taken over once it gives no sign of life', async () => {
    world = await createWorld({ roles: ['web', 'worker'], config: 'reconcile: { every: 1s }\n' });
    world.hire('stays');
    const jane = world.hire('jane');
    const fault = world.sendgrid.faults.inject({ path: /^\/v3\/teammates$/, fault: { kind: 'hang' } });
    await until('a run hangs', async () => fault.hits > 0 && (await runs('finished_at is null')) === 1);
    const worker = world.running.at(-1);
    await worker?.kill();
    fault.remove();
    const { rows } = await world.database.pool.query('select id from reconcile_run where finished_at is null');
    world.okta.setStatus(jane.id, 'DEPROVISIONED');
    await world.start('worker');
    // Dead is who was not heard of for a minute.
    await world.database.pool.query(
      `update reconcile_run set seen_at = now() - interval '61 seconds' where id = '${rows[0].id}'`,
    );
    // What the killed one was reading is its own until its time is up.
    await until('jane is gone', () => !world.account().has(jane.email), 100_000);
    expect(await runs(`id = '${rows[0].id}' and summary is not null`)).toBe(0);
  }, 150_000);

  it('a long look at one account is no death: it gives signs of life', async () => {
    world = await createWorld({ roles: ['web', 'worker'], config: 'reconcile: { every: 1s }\n' });
    const fault = world.sendgrid.faults.inject({ path: /^\/v3\/teammates$/, fault: { kind: 'slow', ms: 14_000 } });
    await until('a run is slow', async () => fault.hits > 0 && (await runs('finished_at is null')) === 1);
    await world.database.pool.query(
      `update reconcile_run set seen_at = now() - interval '40 seconds' where finished_at is null`,
    );
    await until(
      'it was heard of',
      async () => (await runs(`finished_at is null and seen_at > now() - interval '9 s'`)) === 1,
      13_000,
    );
    fault.remove();
  });
});
