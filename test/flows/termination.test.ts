import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWorld, type World } from '#test/support/world.js';

interface Page<T> {
  items: T[];
  next: string | null;
}
interface PlanItem {
  id: string;
  state: string;
  person: { email: string };
  actions: { state: string; kind: string; footprint: string; account: string }[];
  refused: { rule: string }[];
  hold: { reasons: string[] } | null;
}
interface EventItem {
  id: string;
  state: string;
  eventId: string;
  type: string;
  reason: string;
}

describe('a termination in Okta', () => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld({
      accounts: [{ name: 'marketing' }, { name: 'transactional' }, { name: 'watched', mode: 'observe' }],
      config: 'protect: [vip@acme.com]\n',
    });
  });
  afterAll(() => world.end());

  const newestPlan = async (email: string) =>
    (await world.json<Page<PlanItem>>('plans', 'list', '--all')).items.find((plan) => plan.person.email === email);

  it('removes the person from every enforcing account, invitations included, and touches nobody else', async () => {
    const jane = world.hire('jane');
    const kim = world.hire('kim');
    world.account('transactional').invite({ email: 'Jane@ACME.com' });
    world.account('transactional').invite({ email: 'kim@acme.com' });
    world.okta.setStatus(jane.id, 'DEPROVISIONED');

    expect(await world.post(world.event('user.lifecycle.deactivate', jane))).toBe(204);
    await world.quiet();

    expect(world.account('marketing').has(jane.email)).toBe(false);
    expect(world.account('transactional').has(jane.email)).toBe(false);
    expect(world.account('watched').has(jane.email)).toBe(true);
    expect(
      world.sendgrid
        .applied()
        .map((entry) => `${entry.account} ${entry.endpoint}`)
        .sort(),
    ).toEqual([
      'marketing DELETE /v3/teammates/{username}',
      'transactional DELETE /v3/teammates/pending/{token}',
      'transactional DELETE /v3/teammates/{username}',
    ]);
    expect(world.account('marketing').has(kim.email)).toBe(true);
    const plan = await newestPlan(jane.email);
    // In the account that only observes they still are, so the plan is not settled: it reports.
    expect(plan?.state).toBe('planned');
    expect(plan?.actions.map((action) => action.state).sort()).toEqual(['done', 'done', 'done', 'waiting']);
  });

  it('does nothing when the directory says that the person is active: a forged event is harmless', async () => {
    const mary = world.hire('mary');
    const before = world.sendgrid.applied().length;

    expect(await world.post(world.event('user.lifecycle.deactivate', mary))).toBe(204);
    await world.quiet();

    expect(world.sendgrid.applied()).toHaveLength(before);
    expect((await newestPlan(mary.email))?.state).toBe('settled');
  });

  it('removes a person whom Okta has deleted, once a control look-up proves that Okta answers', async () => {
    const gone = world.hire('gone');
    world.okta.deleteUser(gone.id);

    await world.post(world.event('user.lifecycle.delete.initiated', gone));
    await world.quiet();

    expect(world.account('marketing').has(gone.email)).toBe(false);
  });

  it('believes the end that Okta is moving to while a deactivation is under way', async () => {
    const slow = world.hire('slow');
    const user = world.okta.users.get(slow.id);
    if (user !== undefined) user.transitioningToStatus = 'DEPROVISIONED';

    await world.post(world.event('user.lifecycle.deactivate', slow));
    await world.quiet();

    expect(world.account('marketing').has(slow.email)).toBe(false);
  });

  it('never touches a protected person, and says so', async () => {
    const vip = world.hire('vip');
    world.okta.setStatus(vip.id, 'DEPROVISIONED');

    await world.post(world.event('user.lifecycle.deactivate', vip));
    await world.quiet();

    expect(world.account('marketing').has(vip.email)).toBe(true);
    const plan = await newestPlan(vip.email);
    expect(plan?.state).toBe('held');
    expect(plan?.refused.map((guard) => guard.rule)).toContain('protected');
    expect((await world.workplace.run(['plan', vip.email])).code).toBe(3);
    expect((await world.workplace.run(['offboard', vip.email, '--wait', '--timeout', '30'])).code).toBe(3);
  });

  it('refuses in one account what it does in the other, and exits as held', async () => {
    const olga = world.hire('olga');
    world.account('transactional').addTeammate({ email: 'olga@acme.com', username: 'olga-2', user_type: 'owner' });
    world.account('transactional').teammates.delete(olga.email);
    const plan = await world.workplace.run(['plan', olga.email, '--json']);
    expect([plan.code, JSON.parse(plan.stdout).actions]).toEqual([0, []]);
    world.okta.setStatus(olga.id, 'DEPROVISIONED');
    const leaving = await world.workplace.run(['plan', olga.email, '--json']);
    const { actions, refused } = JSON.parse(leaving.stdout) as PlanItem;
    expect(actions.map(({ account }) => account)).toContain('marketing');
    expect(refused).toMatchObject([{ rule: 'owner', account: 'transactional' }]);
    expect(leaving.code).toBe(3);
  });

  it('holds an address that the directory has under two ids: it was given to somebody new', async () => {
    const old = world.hire('reused');
    world.okta.setStatus(old.id, 'DEPROVISIONED');
    world.okta.addUser({ id: '00u-reused-2', email: old.email });

    await world.post(world.event('user.lifecycle.deactivate', old));
    await world.quiet();

    expect(world.account('marketing').has(old.email)).toBe(true);
    expect((await newestPlan(old.email))?.hold?.reasons.join()).toContain('two ids');
  });

  it('holds the last admins', async () => {
    const boss = { id: '00u-boss', email: 'boss@acme.com' };
    world.okta.addUser({ ...boss, status: 'DEPROVISIONED' });
    world.account('marketing').addTeammate({ email: boss.email, is_admin: true });

    await world.post(world.event('user.lifecycle.deactivate', boss));
    await world.quiet();

    expect(world.account('marketing').has(boss.email)).toBe(true);
    expect((await newestPlan(boss.email))?.hold?.reasons.join()).toContain('last-admin');
  });

  it('leaves an audit trail that verifies, and one that was tampered with does not', async () => {
    const exported = await world.workplace.run(['audit', 'export']);
    const file = join(world.workplace.dir, 'audit.jsonl');
    await writeFile(file, exported.stdout);
    expect((await world.workplace.run(['audit', 'verify', '--file', file])).code).toBe(0);
    // The key at hand is the one that it must be signed with: whoever rewrites a log can sign it with a key of theirs.
    const SENDOFF_SIGNING_KEY = randomBytes(32).toString('base64');
    const foreign = await world.workplace.run(['audit', 'verify', '--file', file, '--json'], { SENDOFF_SIGNING_KEY });
    expect([foreign.code, JSON.parse(foreign.stdout).defect]).toEqual([1, 'bad-signature']);

    const lines = exported.stdout.trimEnd().split('\n');
    const at = lines.findIndex((line) => line.includes('"action.applied"'));
    await writeFile(file, `${lines.with(at, (lines[at] ?? '').replace('jane', 'june')).join('\n')}\n`);
    const tampered = await world.workplace.run(['audit', 'verify', '--file', file, '--json']);
    expect(tampered.code).toBe(1);
    expect(JSON.parse(tampered.stdout).firstBadSeq).toBe(at + 1);
  });

  it('shows what came of every event', async () => {
    const { items } = await world.json<Page<EventItem>>('events', 'list', '--all');
    expect(new Set(items.map((event) => event.state))).toEqual(new Set(['done']));
  });
});
