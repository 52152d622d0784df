import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '#test/support/sendoff.js';
import { createWorld, type World } from '#test/support/world.js';

interface Stops {
  stops: { scope: string; by: string; reason: string | null }[];
}
interface PlanItem {
  state: string;
  person: { email: string };
  actions: { account: string; state: string; lastError: string | null }[];
}

describe('sendoff stop', () => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld({ accounts: [{ name: 'marketing' }, { name: 'other' }] });
    // A company so large that who leaves here is no shrunken directory.
    for (let i = 0; i < 300; i += 1) world.okta.addUser({ id: `00u-other${i}`, email: `other${i}@acme.com` });
  });
  afterAll(() => world.end());

  const leave = async (person: { id: string; email: string }) => {
    world.okta.setStatus(person.id, 'DEPROVISIONED');
    expect(await world.post(world.event('user.lifecycle.deactivate', person))).toBe(204);
  };
  const run = async (...args: string[]): Promise<Stops> => {
    const { code, stdout, stderr } = await world.workplace.run([...args, '--json']);
    expect(code, stderr).toBe(0);
    return JSON.parse(stdout) as Stops;
  };
  const actions = async (where: string): Promise<{ account: string; state: string; last_error: string | null }[]> =>
    (await world.database.pool.query(`select account, state, last_error from action where ${where}`)).rows;
  /** Everything that is still to be done has been tried, and was told of the stop. */
  const allStopped = (account: string) =>
    until(`what is left in ${account} waits for the stop to be lifted`, async () => {
      const open = await actions(`due_at is not null and account = '${account}'`);
      return open.length > 0 && open.every(({ last_error }) => last_error?.includes('stopped effects'));
    });
  const planOf = async (email: string) =>
    (await world.json<{ items: PlanItem[] }>('plans', 'list', '--all')).items.find(
      (plan) => plan.person.email === email,
    );
  const deletions = (account: string) =>
    world.sendgrid.journal.filter((entry) => entry.account === account && entry.method === 'DELETE');

  it('halts a burst within 5 s; hooks still get 2xx and plans are made; resume does the rest, each once', async () => {
    const fault = world.sendgrid.faults.inject({ method: 'DELETE', fault: { kind: 'slow', ms: 400 } });
    const people = Array.from({ length: 40 }, (_, i) => world.hire(`burst${i}`));
    await Promise.all(people.map(leave));
    await until('removals are under way', () => deletions('marketing').length >= 3);
    const { stops } = await run('stop', '--as', 'ann', '--reason', 'something is odd');
    const stoppedAt = Date.now();
    expect(stops).toMatchObject([{ scope: '*', by: 'operator:ann', reason: 'something is odd' }]);

    const late = world.hire('late');
    await leave(late);
    await until('the late one is planned', async () => (await planOf(late.email))?.state === 'applying');
    await allStopped('marketing');
    await allStopped('other');

    const done = deletions('marketing').length;
    expect(done).toBeLessThan(40);
    expect(deletions('marketing').every(({ at }) => at - stoppedAt < 5_000)).toBe(true);
    expect(world.account('marketing').has(late.email)).toBe(true);

    // Not one more, however often it is looked at while the stop stands.
    await until('all were looked at again', async () => {
      const { rows } = await world.database.pool.query(
        `select count(*)::int as n from action where due_at > now() and last_error like '%stopped effects%'`,
      );
      return Date.now() - stoppedAt > 5_000 && rows[0].n > 0;
    });
    expect(deletions('marketing')).toHaveLength(done);

    fault.remove();
    expect((await run('resume', '--as', 'ben')).stops).toEqual([]);
    await world.quiet();
    for (const { email } of [...people, late]) {
      expect([email, world.account('marketing').has(email), world.account('other').has(email)]).toEqual([
        email,
        false,
        false,
      ]);
    }
    for (const account of ['marketing', 'other']) {
      const applied = deletions(account).filter((entry) => entry.applied);
      expect(applied).toHaveLength(41);
      expect(new Set(applied.map((entry) => entry.path)).size).toBe(41);
    }
  }, 240_000);

  it('of one account leaves the others alone', async () => {
    await run('stop', '--account', 'marketing', '--as', 'ann');
    const kim = world.hire('kim');
    await leave(kim);
    await until('kim is out of the other account', () => !world.account('other').has(kim.email));
    await allStopped('marketing');
    expect(world.account('marketing').has(kim.email)).toBe(true);
    const waiting = (await planOf(kim.email))?.actions.find((action) => action.account === 'marketing');
    expect(waiting?.lastError).toContain('operator:ann stopped effects in marketing');

    await run('resume', '--account', 'marketing', '--as', 'ann');
    await world.quiet();
    expect(world.account('marketing').has(kim.email)).toBe(false);
  });

  it('outlasts a restart', async () => {
    await run('stop', '--as', 'ann');
    await world.running.at(-1)?.stop();
    await world.start();
    const leo = world.hire('leo');
    await leave(leo);
    await allStopped('marketing');
    expect(world.account('marketing').has(leo.email)).toBe(true);
    await run('resume', '--as', 'ann');
    await world.quiet();
    expect(world.account('marketing').has(leo.email)).toBe(false);
  });

  it('holds back what a reconciliation finds as well', async () => {
    await run('stop', '--as', 'ann');
    const mia = world.hire('mia');
    world.okta.setStatus(mia.id, 'DEPROVISIONED');
    const outcome = await world.workplace.run(['reconcile', '--once', '--json']);
    expect(outcome.code, outcome.stderr).toBe(0);
    await allStopped('marketing');
    expect(world.account('marketing').has(mia.email)).toBe(true);
    await run('resume', '--as', 'ann');
    await world.quiet();
    expect(world.account('marketing').has(mia.email)).toBe(false);
  });

  it('twice is one stop, with who was first; resume of what is not stopped says so; an unknown account is an error', async () => {
    await run('stop', '--as', 'ann', '--reason', 'first');
    expect((await run('stop', '--as', 'ben', '--reason', 'second')).stops).toMatchObject([
      { by: 'operator:ann', reason: 'first' },
    ]);
    expect((await world.workplace.run(['resume', '--account', 'other'])).code).toBe(2);
    await run('resume', '--as', 'ann');
    expect((await world.workplace.run(['resume'])).code).toBe(2);
    expect((await world.workplace.run(['stop', '--account', 'nowhere'])).code).toBe(2);
  });

  it('and resume are in the audit trail, with who and why', async () => {
    const lines = (await world.workplace.run(['audit', 'export'])).stdout
      .trimEnd()
      .split('\n')
      .map(
        (line) =>
          JSON.parse(line) as { kind: string; account: string | null; actor: string; personal?: { reason?: string } },
      )
      .filter(({ kind }) => kind.startsWith('effects.'))
      .map(({ kind, account, actor, personal }) => ({ kind, account, actor, reason: personal?.reason }));
    expect(lines.slice(0, 4)).toEqual([
      { kind: 'effects.stopped', account: null, actor: 'operator:ann', reason: 'something is odd' },
      { kind: 'effects.resumed', account: null, actor: 'operator:ben' },
      { kind: 'effects.stopped', account: 'marketing', actor: 'operator:ann' },
      { kind: 'effects.resumed', account: 'marketing', actor: 'operator:ann' },
    ]);
  });
});
