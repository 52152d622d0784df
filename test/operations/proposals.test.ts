import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { proposeOffboarding } from '#shared/planning/propose.js';
import { until } from '#test/support/sendoff.js';
import { createWorld, type World } from '#test/support/world.js';

interface PlanItem {
  id: string;
  state: string;
  person: { email: string };
  hold: { reasons: string[] } | null;
}

describe('an offboarding that was only proposed', () => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld();
  });
  afterAll(() => world.end());

  const propose = async (email: string, by = 'token:assistant'): Promise<void> => {
    await proposeOffboarding(world.database.db, { email, by, reason: 'seems to have left' });
    await world.quiet();
  };
  const newest = async (email: string): Promise<PlanItem> => {
    const { items } = await world.json<{ items: PlanItem[] }>('plans', 'list', '--all');
    const plan = items.find(({ person }) => person.email === email);
    if (plan === undefined) throw new Error(`no plan of ${email}`);
    return plan;
  };
  const answer = async (verb: 'approve' | 'reject', email: string): Promise<void> => {
    const { code, stderr } = await world.workplace.run(['plans', verb, (await newest(email)).id, '--as', 'ann']);
    expect(code, stderr).toBe(0);
    await world.quiet();
  };
  const stands = async (email: string): Promise<boolean> => {
    const text = 'select proposed from operator_order where email = $1 and cancelled_at is null';
    return (await world.database.pool.query(text, [email])).rows.length > 0;
  };
  const isLeaving = async (email: string): Promise<boolean> => {
    const text = 'select leaving_since from person where emails[1] = $1';
    return (await world.database.pool.query(text, [email])).rows[0]?.leaving_since !== null;
  };
  const happened = async (person: { id: string; email: string }): Promise<void> => {
    await world.post(world.event('user.account.update_profile', person));
    await world.quiet();
  };

  it('waits for a human although the account acts by itself, and goes when it is approved', async () => {
    const { email } = world.hire('jane');
    await propose(email);
    const plan = await newest(email);
    expect(plan.state).toBe('held');
    expect(plan.hold?.reasons.join()).toContain('proposed by token:assistant: seems to have left');
    expect(world.account().has(email)).toBe(true);
    expect(await isLeaving(email)).toBe(false);
    await answer('approve', email);
    expect(world.account().has(email)).toBe(false);
    expect(await isLeaving(email)).toBe(true);
  });

  it('is not approved by who proposed it, however few approvers there are', async () => {
    const { email } = world.hire('mia');
    await propose(email, 'operator:mel');
    const { id } = await newest(email);
    const own = await world.workplace.run(['plans', 'approve', id, '--as', 'mel']);
    expect([own.code, own.stderr]).toEqual([3, expect.stringContaining('operator:mel proposed this')]);
    expect((await newest(email)).state).toBe('held');
    await answer('approve', email);
    expect(world.account().has(email)).toBe(false);
  });

  it('is not made twice while it waits, and not beside an order', async () => {
    const { email } = world.hire('nia');
    await propose(email);
    const { id } = await newest(email);
    await expect(propose(email, 'token:other')).rejects.toThrow(`token:assistant proposed this for ${email}`);
    expect((await newest(email)).id).toBe(id);
    expect((await world.workplace.run(['offboard', email, '--as', 'ann', '--wait'])).code).toBe(0);
    await expect(propose(email)).rejects.toThrow(`operator:ann ordered ${email} off`);
  });

  it('holds nothing back that the directory asks for by itself', async () => {
    const ray = world.hire('ray');
    world.okta.setStatus(ray.id, 'DEPROVISIONED');
    await propose(ray.email);
    expect(world.account().has(ray.email)).toBe(false);
    expect((await newest(ray.email)).state).toBe('settled');
    expect(await stands(ray.email)).toBe(false);
  });

  it('does not take the place of a removal under way', async () => {
    const sam = world.hire('sam');
    const fault = world.sendgrid.faults.inject({ method: 'DELETE', fault: { kind: 'status', status: 500 } });
    world.okta.setStatus(sam.id, 'DEPROVISIONED');
    await world.post(world.event('user.lifecycle.deactivate', sam));
    await until('a removal was tried', () => fault.hits > 0);
    await proposeOffboarding(world.database.db, { email: sam.email, by: 'token:assistant', reason: 'left' });
    fault.remove();
    await world.quiet();
    expect(world.account().has(sam.email)).toBe(false);
    expect((await newest(sam.email)).state).toBe('settled');
  });

  it('ends when nobody answers it in time', async () => {
    const { email } = world.hire('tom');
    await propose(email);
    await world.database.pool.query(`update plan set hold_expires_at = now() - interval '1 second' where id = $1`, [
      (await newest(email)).id,
    ]);
    await until('it expired', async () => (await newest(email)).state === 'expired');
    expect(await stands(email)).toBe(false);
    expect(world.account().has(email)).toBe(true);
  });

  it('counts for nothing else that happens to the person meanwhile', async () => {
    const kim = world.hire('kim');
    await propose(kim.email);
    await happened(kim);
    expect(world.account().has(kim.email)).toBe(true);
    expect((await newest(kim.email)).state).toBe('settled');
    expect(await stands(kim.email)).toBe(false);
    expect(await isLeaving(kim.email)).toBe(false);
  });

  it('is taken back when it is rejected; an order by a human stands beside it', async () => {
    const leo = world.hire('leo');
    await propose(leo.email);
    await answer('reject', leo.email);
    await happened(leo);
    expect(world.account().has(leo.email)).toBe(true);
    await propose(leo.email);
    expect((await world.workplace.run(['offboard', leo.email, '--wait'])).code).toBe(0);
    expect(world.account().has(leo.email)).toBe(false);
  });
});
