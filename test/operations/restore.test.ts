import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PlanItem } from '#shared/store/plans.js';
import type { EmulatedAccount, EmulatedTeammate, TeammateSeed } from '#test/emulators/sendgrid/index.js';
import { calm, minutesPass, newestPlan, verifiedTrail, writes } from '#test/support/flow.js';
import { createWorld, type World } from '#test/support/world.js';

describe('access that was taken by mistake', () => {
  let world: World;
  let account: EmulatedAccount;

  beforeAll(async () => {
    world = await createWorld({
      accounts: [
        {
          name: 'marketing',
          subusers: [
            { id: 11, username: 'brand-eu' },
            { id: 12, username: 'brand-us' },
          ],
        },
        { name: 'careful', mode: 'approve' },
      ],
      config: 'limits: { admins: 1, removals: { floor: 1000, max: 1000 }, runShare: 1 }\n',
    });
    account = world.account('marketing');
  });
  afterAll(() => world.end());

  const addressOf = (name: string) => `${name}@acme.com`;
  function employ(name: string, seed: Partial<TeammateSeed>, where = account) {
    const email = addressOf(name);
    world.okta.addUser({ id: `00u-${name}`, email, firstName: 'Ann', lastName: 'Ampère' });
    return where.addTeammate({ email, first_name: 'Ann', last_name: 'Ampère', ...seed });
  }
  const offboard = async (...args: string[]) => world.workplace.run(['offboard', ...args, '--timeout', '40']);
  /** Ordered off, and the order taken back: the directory still says that they work here. */
  async function mistakenlyOff(name: string) {
    await minutesPass(world);
    expect((await offboard(addressOf(name), '--wait')).code).toBe(0);
    expect(account.has(addressOf(name))).toBe(false);
    expect((await offboard(addressOf(name), '--cancel')).code).toBe(0);
    await calm(world);
    // The order alone gives nothing back.
    expect(account.has(addressOf(name))).toBe(false);
  }
  const restore = async (name: string, ...more: string[]) => {
    const result = await world.workplace.run(['restore', addressOf(name), '--wait', '--timeout', '40', ...more]);
    await calm(world);
    return result;
  };
  /** What somebody may do, in an order of its own, without what everybody has. */
  const accessOf = (mate: EmulatedTeammate | undefined) =>
    mate === undefined
      ? null
      : {
          ...mate,
          scopes: mate.scopes.filter((scope) => !scope.startsWith('user.profile.')).sort(),
          subusers: mate.subusers?.map((one) => ({ ...one, scopes: [...one.scopes].sort() })) ?? null,
        };
  const invitesOf = (name: string, where = account) =>
    [...where.invitations.values()].filter(({ email }) => email === addressOf(name));

  it.each<{ what: string; name: string; seed: Partial<TeammateSeed> }>([
    { what: 'with scopes', name: 'scopes', seed: { scopes: ['alerts.read', 'mail.send', 'stats.read'] } },
    { what: 'with full access', name: 'chief', seed: { is_admin: true, scopes: [] } },
    {
      what: 'confined to subusers',
      name: 'confined',
      seed: {
        scopes: [],
        subusers: [
          { id: 11, permission_type: 'restricted', scopes: ['mail.send', 'stats.read'] },
          { id: 12, permission_type: 'admin', scopes: [] },
        ],
      },
    },
  ])('is given back to an SSO teammate $what, exactly as recorded, name included', async ({ name, seed }) => {
    const before = accessOf(structuredClone(employ(name, seed)));
    await mistakenlyOff(name);
    const restored = await restore(name);

    expect(restored.code).toBe(0);
    expect(restored.stdout).toContain(`${addressOf(name)}: settled`);
    expect(accessOf(account.teammate(addressOf(name)))).toEqual(before);
  });

  it('is offered again to a password teammate: they are invited with what they had', async () => {
    employ('pw', { is_sso: false, scopes: ['mail.send', 'stats.read'] });
    await mistakenlyOff('pw');
    expect((await restore('pw')).code).toBe(0);

    expect(account.teammate(addressOf('pw'))).toBeUndefined();
    expect(invitesOf('pw')).toMatchObject([
      { is_admin: false, scopes: expect.arrayContaining(['mail.send', 'stats.read']) },
    ]);
  });

  it('inside a subuser is offered again there', async () => {
    employ('inside', { scopes: ['mail.send'] });
    account.inSubuser('brand-eu').addTeammate({ email: addressOf('inside'), scopes: ['stats.read'] });
    await mistakenlyOff('inside');
    expect(account.inSubuser('brand-eu').has(addressOf('inside'))).toBe(false);
    expect((await restore('inside')).code).toBe(0);

    expect(account.teammate(addressOf('inside'))?.scopes).toContain('mail.send');
    expect(invitesOf('inside', account.inSubuser('brand-eu'))).toHaveLength(1);
    expect(invitesOf('inside', account.inSubuser('brand-us'))).toHaveLength(0);
  });

  it('is given back by a human only where SendGrid would not say what they might do inside subusers', async () => {
    const refused = { account: 'marketing', method: 'GET', path: /subuser_access/ };
    const fault = world.sendgrid.faults.inject({ ...refused, fault: { kind: 'status', status: 403 } });
    employ('unseen', { scopes: [], subusers: [{ id: 11, permission_type: 'restricted', scopes: ['stats.read'] }] });
    await mistakenlyOff('unseen');
    fault.remove();

    expect((await restore('unseen')).code).toBe(3);
    const { hold } = await newestPlan(world, addressOf('unseen'));
    expect(hold?.reasons.join()).toContain('whether they were confined to subusers could not be read');
    expect(account.has(addressOf('unseen'))).toBe(false);
  });

  it('is given back once: a second restore has nothing to give and ends with 2', async () => {
    const before = writes(world.sendgrid.journal).length;
    for (const name of ['chief', 'pw', 'inside']) {
      const again = await restore(name);
      expect(again.code).toBe(2);
      expect(again.stderr).toContain('nothing that was removed');
    }
    expect((await restore('stranger')).code).toBe(2);
    expect(writes(world.sendgrid.journal)).toHaveLength(before);
  });

  it('is given back once even when it is ordered twice at the same time', async () => {
    employ('twice', { scopes: ['mail.send'] });
    employ('pw-twice', { is_sso: false, scopes: ['mail.send'] });
    await mistakenlyOff('twice');
    await mistakenlyOff('pw-twice');
    const before = writes(world.sendgrid.journal).length;
    await Promise.all(
      ['twice', 'pw-twice', 'twice', 'pw-twice'].map((name) => world.workplace.run(['restore', addressOf(name)])),
    );
    await calm(world);

    expect(writes(world.sendgrid.journal).slice(before).sort()).toEqual([
      'marketing POST /v3/sso/teammates',
      'marketing POST /v3/teammates',
    ]);
  }, 240_000);

  it('is not given back to somebody who has left by the directory', async () => {
    employ('leaver', { scopes: ['mail.send'] });
    await minutesPass(world);
    world.okta.setStatus('00u-leaver', 'DEPROVISIONED');
    await world.post(world.event('user.lifecycle.deactivate', { id: '00u-leaver', email: addressOf('leaver') }));
    await calm(world);
    const before = writes(world.sendgrid.journal).length;
    await restore('leaver');

    expect(writes(world.sendgrid.journal)).toHaveLength(before);
    expect(account.has(addressOf('leaver'))).toBe(false);
    expect((await newestPlan(world, addressOf('leaver'))).verdict).toBe('leaver');
  });

  it('is not given back while the order stands', async () => {
    employ('ordered', { scopes: ['mail.send'] });
    await minutesPass(world);
    expect((await offboard(addressOf('ordered'), '--wait')).code).toBe(0);
    await restore('ordered');
    expect(account.has(addressOf('ordered'))).toBe(false);
  });

  it('is given back where approvals are asked for only after one, and exactly what was shown', async () => {
    const careful = world.account('careful');
    employ('held', { scopes: ['mail.send'] }, careful);
    const approve = async () => {
      const plan = await newestPlan(world, addressOf('held'));
      expect(plan.state).toBe('held');
      const hash = ['--set', plan.hold?.setHash ?? ''];
      expect((await world.workplace.run(['plans', 'approve', plan.id, ...hash, '--as', 'ann'])).code).toBe(0);
      await calm(world);
    };
    await minutesPass(world);
    expect((await offboard(addressOf('held'), '--wait')).code).toBe(3);
    await approve();
    expect(careful.has(addressOf('held'))).toBe(false);
    await offboard(addressOf('held'), '--cancel');
    await calm(world);

    const restored = await restore('held', '--json');
    expect(restored.code).toBe(3);
    expect((JSON.parse(restored.stdout) as PlanItem).hold?.reasons.join()).toContain('mode-approve');
    expect(careful.has(addressOf('held'))).toBe(false);
    await approve();
    expect(careful.teammate(addressOf('held'))?.scopes).toContain('mail.send');
  });

  it('is in the audit trail with who ordered it, and the trail verifies', async () => {
    const trail = await verifiedTrail(world);
    const ordered = trail.filter(({ kind }) => kind === 'operator.restored');
    expect(ordered.map(({ person }) => person?.email)).toContain(addressOf('chief'));
    expect(ordered.every(({ actor }) => actor.startsWith('operator:'))).toBe(true);
    const given = trail.filter(({ kind, action }) => kind === 'action.applied' && action?.kind === 'provision');
    expect(given.map(({ person }) => person?.email)).toContain(addressOf('chief'));
  });
});
