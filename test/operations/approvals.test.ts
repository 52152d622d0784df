import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { proposeOffboarding } from '#shared/planning/propose.js';
import { until } from '#test/support/sendoff.js';
import { createWorld, type World } from '#test/support/world.js';

interface PlanItem {
  id: string;
  state: string;
  person: { id: string; email: string };
  actions: { account: string; target: string; state: string }[];
  hold: { reasons: string[]; setHash: string; expiresAt: string | null } | null;
}
interface AuditLine {
  kind: string;
  actor: string;
  person: { email: string } | null;
  detail: { setHash?: string } | null;
  personal?: { reason?: string };
}

describe('an account in mode approve', () => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld({
      accounts: [{ name: 'marketing', mode: 'approve' }, { name: 'free' }],
      config: 'approvals: { approvers: [ann, ben] }\n',
    });
  });
  afterAll(() => world.end());

  const plansOf = async (email: string) =>
    (await world.json<{ items: PlanItem[] }>('plans', 'list', '--all')).items.filter(
      (plan) => plan.person.email === email,
    );
  const newestPlan = async (email: string): Promise<PlanItem> => {
    const [plan] = await plansOf(email);
    if (plan === undefined) throw new Error(`no plan of ${email}`);
    return plan;
  };
  const deactivate = async (person: { id: string; email: string }) => {
    world.okta.setStatus(person.id, 'DEPROVISIONED');
    expect(await world.post(world.event('user.lifecycle.deactivate', person))).toBe(204);
    await world.quiet();
  };
  const leaver = async (name: string) => {
    const person = world.hire(name);
    await deactivate(person);
    return person;
  };
  const answer = (verb: 'approve' | 'reject', id: string, ...more: string[]) =>
    world.workplace.run(['plans', verb, id, ...more]);
  const isIn = (email: string) => world.account('marketing').has(email);
  const audit = async (kind: string, email: string): Promise<AuditLine[]> =>
    (await world.workplace.run(['audit', 'export'])).stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as AuditLine)
      .filter((line) => line.kind === kind && line.person?.email === email);

  it('holds a leaver there, says why, and keeps nobody else’s account waiting', async () => {
    const jane = await leaver('jane');

    expect(isIn(jane.email)).toBe(true);
    expect(world.account('free').has(jane.email)).toBe(false);
    const plan = await newestPlan(jane.email);
    expect(plan.state).toBe('held');
    expect(plan.hold?.reasons.join()).toContain('mode-approve: marketing');
    expect(plan.hold?.setHash).toMatch(/^[0-9a-f]{64}$/);
    expect(Date.parse(plan.hold?.expiresAt ?? '')).toBeGreaterThan(Date.now());
  });

  it('approve lets exactly the held set go, and the audit trail says who did', async () => {
    const kim = await leaver('kim');
    const leo = await leaver('leo');
    const { id, hold } = await newestPlan(kim.email);

    const before = world.sendgrid.applied().length;
    const approved = await answer('approve', id, '--set', hold?.setHash ?? '', '--as', 'ann', '--reason', 'she left');
    expect(approved.code, approved.stderr).toBe(0);
    await world.quiet();

    expect(
      world.sendgrid
        .applied()
        .slice(before)
        .map(({ account, path }) => `${account} ${path}`),
    ).toEqual([`marketing /v3/teammates/${encodeURIComponent(kim.email)}`]);
    expect(isIn(leo.email)).toBe(true);
    expect((await newestPlan(kim.email)).state).toBe('settled');
    expect(await audit('plan.approved', kim.email)).toMatchObject([
      { actor: 'operator:ann', detail: { setHash: hold?.setHash }, personal: { reason: 'she left' } },
    ]);
  });

  it('an answer to another set than the held one is refused with exit 3, and changes nothing', async () => {
    const mia = await leaver('mia');
    const { id } = await newestPlan(mia.email);
    for (const verb of ['approve', 'reject'] as const) {
      const refused = await answer(verb, id, '--set', 'f'.repeat(64), '--as', 'ann');
      expect([refused.code, refused.stderr]).toEqual([3, expect.stringContaining('not what was shown')]);
    }
    expect((await newestPlan(mia.email)).state).toBe('held');
    expect(await audit('plan.approved', mia.email)).toEqual([]);
  });

  it('who is no approver is refused with exit 3', async () => {
    const nia = await leaver('nia');
    const refused = await answer('approve', (await newestPlan(nia.email)).id, '--as', 'mallory');
    expect([refused.code, refused.stderr]).toEqual([3, expect.stringContaining('mallory')]);
    await world.quiet();
    expect(isIn(nia.email)).toBe(true);
  });

  it('nobody approves what they ordered themselves; the other approver can; --wait ends with 3 while it is held', async () => {
    const oda = world.hire('oda');
    const ordered = await world.workplace.run(['offboard', oda.email, '--as', 'ann', '--wait', '--json']);
    expect(ordered.code, ordered.stderr).toBe(3);
    const { id, state } = JSON.parse(ordered.stdout) as PlanItem;
    expect(state).toBe('held');

    const same = await answer('approve', id, '--as', 'ann');
    expect([same.code, same.stderr]).toEqual([3, expect.stringContaining('ann')]);
    expect(isIn(oda.email)).toBe(true);
    const other = await answer('approve', id, '--as', 'ben');
    expect(other.code, other.stderr).toBe(0);
    await world.quiet();
    expect(isIn(oda.email)).toBe(false);
  });

  it('nor a return that they ordered themselves', async () => {
    const olga = await leaver('olga');
    await answer('approve', (await newestPlan(olga.email)).id, '--as', 'ben');
    await world.quiet();
    world.okta.setStatus(olga.id, 'ACTIVE');
    expect((await world.workplace.run(['restore', olga.email, '--as', 'ann'])).code).toBe(0);
    await world.quiet();
    const { id } = await newestPlan(olga.email);
    const same = await answer('approve', id, '--as', 'ann');
    expect([same.code, same.stderr]).toEqual([3, expect.stringContaining('ann')]);
    expect((await answer('approve', id, '--as', 'ben')).code).toBe(0);
    await world.quiet();
    expect(isIn(olga.email)).toBe(true);
  });

  it('nobody approves what their assistant proposed, or they themselves over another way in', async () => {
    for (const by of ['mcp:ann', 'token:ann', 'user:ann']) {
      const { email } = world.hire(`asked-${by.split(':')[0]}`);
      await proposeOffboarding(world.database.db, { email, by, reason: 'left' });
      await world.quiet();
      const { id } = await newestPlan(email);
      const same = await answer('approve', id, '--as', 'ann');
      expect([same.code, same.stderr]).toEqual([3, expect.stringContaining('ann proposed this')]);
      expect(isIn(email)).toBe(true);
    }
  });

  it('a rejected plan stays rejected when the event is repeated, until the facts change', async () => {
    const pia = await leaver('pia');
    const { id } = await newestPlan(pia.email);
    expect((await answer('reject', id, '--as', 'ben', '--reason', 'stays until Friday')).code).toBe(0);
    expect((await newestPlan(pia.email)).state).toBe('rejected');
    expect(await audit('plan.rejected', pia.email)).toMatchObject([
      { actor: 'operator:ben', personal: { reason: 'stays until Friday' } },
    ]);

    await deactivate(pia);
    expect((await newestPlan(pia.email)).state).toBe('rejected');
    const late = await answer('approve', (await newestPlan(pia.email)).id, '--as', 'ann');
    expect(late.code).toBe(1);
    expect(isIn(pia.email)).toBe(true);

    world.okta.setStatus(pia.id, 'ACTIVE');
    await world.post(world.event('user.lifecycle.activate', pia));
    await world.quiet();
    await deactivate(pia);
    const again = await newestPlan(pia.email);
    expect(again.state).toBe('held');
    expect((await answer('approve', again.id, '--as', 'ann')).code).toBe(0);
    await world.quiet();
    expect(isIn(pia.email)).toBe(false);
  });

  it('an approval counts for the same set when the person is planned again', async () => {
    const rita = await leaver('rita');
    const fault = world.sendgrid.faults.inject({ method: 'DELETE', fault: { kind: 'status', status: 500 } });
    const first = await newestPlan(rita.email);
    expect((await answer('approve', first.id, '--as', 'ann')).code).toBe(0);
    await until('a removal was tried', () => fault.hits > 0);
    await world.post(world.event('user.lifecycle.deactivate', rita));
    await until('it was planned again', async () => {
      const { rows } = await world.database.pool.query('select state from plan where person_id = $1', [
        first.person.id,
      ]);
      return rows.length > 1;
    });
    fault.remove();
    await world.quiet();

    expect(isIn(rita.email)).toBe(false);
    const plans = await plansOf(rita.email);
    expect(plans.map(({ state }) => state)).toEqual(['settled', 'superseded']);
    expect(await audit('plan.approved', rita.email)).toHaveLength(1);
  });

  it('an approval that came too late is refused, the plan expires, and nothing is done', async () => {
    const sue = await leaver('sue');
    const { id } = await newestPlan(sue.email);
    await world.database.pool.query(`update plan set hold_expires_at = now() - interval '1 second' where id = $1`, [
      id,
    ]);
    const late = await answer('approve', id, '--as', 'ann');
    expect(late.code).not.toBe(0);
    await until('it expired', async () => (await newestPlan(sue.email)).state === 'expired');
    await world.quiet();
    const plan = await newestPlan(sue.email);
    expect(plan.actions.filter(({ account }) => account === 'marketing').map(({ state }) => state)).toEqual([
      'superseded',
    ]);
    expect(isIn(sue.email)).toBe(true);

    await deactivate(sue);
    expect((await newestPlan(sue.email)).state).toBe('held');
  });
});
