import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { proposeOffboarding } from '#shared/planning/propose.js';
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

  const propose = async (email: string): Promise<void> => {
    await proposeOffboarding(world.database.db, { email, by: 'token:assistant', reason: 'seems to have left' });
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
    await answer('approve', email);
    expect(world.account().has(email)).toBe(false);
  });

  it('counts for nothing else that happens to the person meanwhile', async () => {
    const kim = world.hire('kim');
    await propose(kim.email);
    await happened(kim);
    expect(world.account().has(kim.email)).toBe(true);
    expect((await newest(kim.email)).state).toBe('settled');
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
