import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Drift } from '#shared/lifecycle/drift.js';
import { actionLines, calm, newestPlan, verifiedTrail, writes } from '#test/support/flow.js';
import { until } from '#test/support/sendoff.js';
import { createWorld, type World } from '#test/support/world.js';

interface Somebody {
  id: string;
  old: string;
  now: string;
}

describe('somebody whose address changes in the directory', () => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld({
      accounts: [{ name: 'marketing' }, { name: 'careful', mode: 'approve' }],
      // Nobody may lose access by it, so nobody is allowed to.
      config: 'limits: { removals: { floor: 0, share: 0, max: 0 }, runShare: 1 }\n',
    });
  });
  afterAll(() => world.end());

  /** Whom Sendoff has seen at work, under their first address. */
  async function employed(name: string, account = 'marketing'): Promise<Somebody> {
    const one = { id: `00u-${name}`, old: `${name}@acme.com`, now: `${name}.new@acme.com` };
    world.okta.addUser({ id: one.id, email: one.old });
    world.account(account).addTeammate({ email: one.old, scopes: ['mail.send', 'stats.read'] });
    await world.post(world.event('user.account.update_profile', { id: one.id, email: one.old }));
    await calm(world);
    return one;
  }
  function rename({ id, now }: Somebody): void {
    const user = world.okta.users.get(id);
    Object.assign(user ?? {}, { email: now, login: now });
    Object.assign(user?.profile ?? {}, { email: now, login: now });
  }
  async function renamed(one: Somebody): Promise<void> {
    rename(one);
    await world.post(world.event('user.account.update_profile', { id: one.id, email: one.now }));
  }
  /** What they may do under an address, without what everybody may (sendgrid.md §6.3). */
  const may = (email: string, account = 'marketing') =>
    world
      .account(account)
      .teammate(email)
      ?.scopes.filter((scope) => !scope.startsWith('user.profile.'));
  const both = ['mail.send', 'stats.read'];
  const about = (name: string) =>
    writes(world.sendgrid.journal.filter(({ path, body }) => `${path} ${JSON.stringify(body)}`.includes(name)));
  const actionOf = async (email: string, kind: string) =>
    (await newestPlan(world, email).catch(() => null))?.actions.find((action) => action.kind === kind);
  const driftOf = async (email: string) =>
    (await world.json<{ accounts: { drift: Drift[] }[] }>('reconcile', '--once')).accounts
      .flatMap(({ drift }) => drift)
      .filter((one) => one.email === email);

  it('gets a teammate of the new address with the same access; the old one goes after that, and no limit counts it', async () => {
    const jane = await employed('jane');
    await renamed(jane);
    await calm(world);

    expect(about('jane')).toEqual(['marketing POST /v3/sso/teammates', 'marketing DELETE /v3/teammates/jane@acme.com']);
    expect(may(jane.now)).toEqual(both);
    const plan = await newestPlan(world, jane.now);
    expect(plan.state).toBe('settled');
    expect(actionLines(plan)).toEqual(['provision teammate: done', 'retire teammate: done']);
    expect(plan.actions.map(({ to }) => to)).toEqual([null, jane.now]);
    const ends = (await verifiedTrail(world)).filter(({ kind }) => kind === 'action.applied');
    expect(ends.map(({ action }) => action?.kind)).toEqual(['provision', 'retire']);
  }, 180_000);

  it('keeps the old one as long as SendGrid refuses the new one', async () => {
    const kim = await employed('kim');
    const fault = world.sendgrid.faults.inject({
      method: 'POST',
      path: /sso/,
      fault: { kind: 'status', status: 400, body: { errors: [{ message: 'no seat is left' }] } },
    });
    await renamed(kim);
    await until('it failed', async () => (await actionOf(kim.now, 'provision'))?.state === 'failed');
    await until('the other waits for it', async () => (await actionOf(kim.now, 'retire'))?.state === 'waiting');
    expect(may(kim.old)).toEqual(both);
    expect(about('kim')).toEqual([]);

    fault.remove();
    expect((await world.workplace.run(['events', 'replay', (await newestPlan(world, kim.now)).cause.event])).code).toBe(
      0,
    );
    await calm(world);
    expect([may(kim.old), may(kim.now)]).toEqual([undefined, both]);
  }, 180_000);

  it('keeps the old one while SendGrid drops part of the new one’s access', async () => {
    const lea = await employed('lea');
    let drops = true;
    world.sendgrid.on('request', ({ method }) => {
      const made = world.account().teammate(lea.now);
      if (drops && method !== 'GET' && made !== undefined) made.scopes = ['stats.read'];
    });
    await renamed(lea);
    await until('the old one waits', async () =>
      (await actionOf(lea.now, 'retire'))?.lastError?.includes('without mail.send'),
    );
    expect(may(lea.old)).toEqual(both);
    drops = false;
    await until('the access is mended', () => may(lea.now)?.includes('mail.send'), 60_000);
    await world.database.pool.query(`update action set due_at = now() where state = 'waiting' and kind = 'retire'`);
    await calm(world);
    expect(may(lea.old)).toBeUndefined();
  }, 180_000);

  it('is found by a comparison when no event told; a second one finds nothing', async () => {
    const mia = await employed('mia');
    rename(mia);
    expect(await driftOf(mia.old)).toMatchObject([{ kind: 'renamed' }]);
    await calm(world);
    expect([may(mia.old), may(mia.now)]).toEqual([undefined, both]);
    expect(await driftOf(mia.now)).toEqual([]);
  }, 180_000);

  it('where approvals are asked for, waits with both old and new for one answer, whatever comparisons find', async () => {
    const nia = await employed('nia', 'careful');
    await renamed(nia);
    await calm(world);
    const held = await newestPlan(world, nia.now);
    expect(held.state).toBe('held');
    await driftOf(nia.old);
    await calm(world);
    expect((await newestPlan(world, nia.now)).id).toBe(held.id);
    expect(about('nia')).toEqual([]);

    expect((await world.workplace.run(['plans', 'approve', held.id])).code).toBe(0);
    await calm(world);
    expect([may(nia.old, 'careful'), may(nia.now, 'careful')]).toEqual([undefined, both]);
  }, 180_000);

  it('takes along what names the old one: an order that stands against them, and the keys that are theirs', async () => {
    const pia = await employed('pia');
    const key = world.account().addApiKey({ name: 'reports' });
    expect(
      (await world.workplace.run(['keys', 'adopt', key.id, '--account', 'marketing', '--owner', pia.old])).code,
    ).toBe(0);
    expect((await world.workplace.run(['offboard', pia.old])).code).toBe(0);
    await calm(world);
    for (const _ of ['as the change is read', 'and afterwards']) {
      await renamed(pia);
      await calm(world);
      const plan = await newestPlan(world, pia.now);
      expect(plan.verdict).toBe('leaver');
      expect(plan.actions.map(({ kind, target }) => `${kind} ${target}`)).toEqual([
        `deprovision ${pia.old}`,
        `revoke ${key.id}`,
      ]);
    }
    const { items } = await world.json<{ items: { id: string; owner: string | null }[] }>('keys', 'list');
    expect(items.find(({ id }) => id === key.id)?.owner).toBe(pia.now);
  }, 180_000);

  it('whose old address somebody else has by now: neither of the two loses anything without a human', async () => {
    const oda = await employed('oda');
    rename(oda);
    world.okta.addUser({ id: '00u-other', email: oda.old });
    world.okta.setStatus(oda.id, 'DEPROVISIONED');
    await world.post(world.event('user.lifecycle.deactivate', { id: oda.id, email: oda.now }));
    await calm(world);
    // Tied to who left, and what the newcomer signs in with.
    expect((await newestPlan(world, oda.now)).hold?.reasons.join()).toContain(
      'gives this teammate’s address to somebody else',
    );
    expect(may(oda.old)).toEqual(both);
  }, 180_000);
});
