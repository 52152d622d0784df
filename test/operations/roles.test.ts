import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Drift } from '#shared/lifecycle/drift.js';
import type { EmulatedAccount, EmulatedTeammate, TeammateSeed } from '#test/emulators/sendgrid/index.js';
import { managed, managedForPasswords, personas } from '#test/emulators/sendgrid/scopes.js';
import { calm, minutesPass, newestPlan, verifiedTrail, writes } from '#test/support/flow.js';
import { until } from '#test/support/sendoff.js';
import { createWorld, type World } from '#test/support/world.js';

const roles = `roles:
  marketer: { persona: marketer }
  developer: { scopes: [mail.send, templates.read, stats.read] }
  brand: { subusers: { brand-eu: { permission: restricted, scopes: [stats.read] }, brand-us: { permission: admin } } }
  admin: { admin: true }
  exotic: { scopes: [mail.send, di.bounce_block_classification.read] }
`;

interface Reconciled {
  accounts: { drift: (Drift & { plan: string | null })[]; plans: { person: { email: string } }[] }[];
}

describe('roles granted by groups', () => {
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
            { id: 13, username: 'brand-jp' },
          ],
        },
      ],
      config: `${roles}grants:
  - { group: Admins, account: marketing, role: admin }
  - { group: Marketers, account: marketing, role: marketer }
  - { group: Developers, account: marketing, role: developer }
  - { group: Brand EU, account: marketing, role: brand }
  - { group: Researchers, account: marketing, role: exotic }
`,
      roles: [],
    });
    account = world.account();
    // Somebody with full access beside the owner, so that a demotion is no matter for the gate.
    employ('ada', ['Admins'], { is_admin: true });
    // A teammate from before Sendoff, in no group that grants anything.
    employ('veteran', []);
    await world.start('up');
    await world.reconciled();
  });
  afterAll(() => world.end());

  const addressOf = (name: string) => `${name}@acme.com`;
  const mate = (name: string) => account.teammate(addressOf(name)) as EmulatedTeammate;
  const groupsOf = (name: string) => world.okta.users.get(`00u-${name}`)?.groups as Set<string>;
  function employ(name: string, groups: string[], seed: Partial<TeammateSeed> | null = {}) {
    const person = { id: `00u-${name}`, email: addressOf(name) };
    const user = world.okta.addUser(person);
    for (const group of groups) user.groups.add(group);
    if (seed !== null) account.addTeammate({ email: person.email, ...seed });
    return person;
  }
  /** As Okta tells of a change of groups. */
  async function moves(name: string, groups: string[]) {
    const before = groupsOf(name);
    const isLoss = before.size > groups.length;
    before.clear();
    for (const group of groups) before.add(group);
    const type = isLoss ? 'group.user_membership.remove' : 'group.user_membership.add';
    expect(await world.post(world.event(type, { id: `00u-${name}`, email: addressOf(name) }))).toBe(204);
    await calm(world);
  }
  const writesAbout = (name: string) =>
    world.sendgrid.journal.filter((entry) => entry.method !== 'GET' && entry.path.includes(name));
  const reconciled = () => world.json<Reconciled>('reconcile', '--once');
  const driftOf = async (run: Reconciled, name: string) =>
    run.accounts.flatMap(({ drift }) => drift).find(({ email }) => email === addressOf(name));

  it.each([
    { to: 'Marketers', access: { is_admin: false, scopes: personas.marketer, subusers: null } },
    {
      to: 'Developers',
      access: { is_admin: false, scopes: ['mail.send', 'stats.read', 'templates.read'], subusers: null },
    },
    {
      to: 'Brand EU',
      access: {
        is_admin: false,
        scopes: [],
        subusers: [
          { id: 11, permission_type: 'restricted', scopes: ['stats.read'] },
          { id: 12, permission_type: 'admin', scopes: [] },
        ],
      },
    },
    { to: 'Admins', access: { is_admin: true } },
  ])('bring an SSO teammate who moves to $to to exactly its role, in one request', async ({ to, access }) => {
    const name = `sso-${to.toLowerCase().replace(' ', '-')}`;
    employ(name, [], { scopes: ['alerts.read', 'stats.read'] });
    await moves(name, [to]);

    expect(mate(name)).toMatchObject(access);
    expect(writesAbout(name).map(({ endpoint }) => endpoint)).toEqual(['PATCH /v3/sso/teammates/{username}']);
    expect((await newestPlan(world, addressOf(name))).state).toBe('settled');
  });

  it.each([
    { to: 'Developers', access: { is_admin: false, scopes: ['mail.send', 'stats.read', 'templates.read'] } },
    { to: 'Admins', access: { is_admin: true } },
  ])('bring a password teammate who moves to $to there as well, by the other endpoint', async ({ to, access }) => {
    const name = `pw-${to.toLowerCase()}`;
    employ(name, [], { is_sso: false, username: `u.${name}`, scopes: ['alerts.read', 'stats.read'] });
    await moves(name, [to]);

    expect(mate(name)).toMatchObject(access);
    expect(writesAbout(name).map(({ method, path }) => `${method} ${path}`)).toEqual([`PATCH /v3/teammates/u.${name}`]);
  });

  it('lead from every form to every other: full access, subusers only, scopes and back', async () => {
    employ('rover', ['Admins'], { is_admin: true });
    await moves('rover', ['Brand EU']);
    expect(mate('rover')).toMatchObject({ is_admin: false, subusers: [{ id: 11 }, { id: 12 }] });
    await moves('rover', ['Marketers']);
    expect(mate('rover')).toMatchObject({ is_admin: false, scopes: personas.marketer, subusers: null });
    await moves('rover', ['Admins']);
    expect(mate('rover')).toMatchObject({ is_admin: true });
    await moves('rover', ['Developers']);
    expect(mate('rover')).toMatchObject({ is_admin: false, subusers: null });
    expect([...mate('rover').scopes].sort()).toEqual(['mail.send', 'stats.read', 'templates.read']);
    expect(writesAbout('rover')).toHaveLength(4);
  });

  it('are read anew when an event comes: the same one again writes nothing', async () => {
    const names = ['sso-marketers', 'sso-developers', 'sso-brand-eu', 'sso-admins', 'pw-developers', 'pw-admins'];
    const before = writes(world.sendgrid.journal).length;
    for (const name of names) {
      await world.post(world.event('group.user_membership.add', { id: `00u-${name}`, email: addressOf(name) }));
    }
    await calm(world);
    expect(writes(world.sendgrid.journal)).toHaveLength(before);
    expect((await newestPlan(world, addressOf('sso-marketers'))).actions).toEqual([]);
  });

  it('count by the first line that fits, whatever the order of the groups', async () => {
    employ('both', [], { scopes: ['alerts.read'] });
    await moves('both', ['Developers', 'Marketers']);
    expect(mate('both').scopes).toEqual(personas.marketer);
  });

  it('refuse what SendGrid can’t do, a password teammate confined to subusers, and say so', async () => {
    employ('pw-brand', [], { is_sso: false });
    const before = { ...mate('pw-brand') };
    await moves('pw-brand', ['Brand EU']);
    expect(mate('pw-brand')).toEqual(before);
    const plan = await newestPlan(world, addressOf('pw-brand'));
    expect(plan.state).toBe('held');
    expect(plan.refused.map(({ rule }) => rule)).toEqual(['unsupported']);
  });

  it('never send a scope that SendGrid manages itself', () => {
    const sent = world.sendgrid.journal.flatMap(({ method, body }) =>
      method === 'GET' ? [] : ((body as { scopes?: string[] } | null)?.scopes ?? []),
    );
    expect(sent).not.toEqual([]);
    expect(sent.filter((scope) => [...managed, ...managedForPasswords].includes(scope))).toEqual([]);
  });

  it('that are lost, the last one, remove the teammate: a group once covered them', async () => {
    await moves('sso-developers', []);
    expect(account.has(addressOf('sso-developers'))).toBe(false);
    await moves('pw-developers', []);
    expect(account.has(addressOf('pw-developers'))).toBe(false);
    expect((await newestPlan(world, addressOf('pw-developers'))).verdict).toBe('unassigned');
  });

  it('never covered a teammate from before: they are reported and left alone, by an event and by comparison', async () => {
    await world.post(world.event('user.account.update_profile', { id: '00u-veteran', email: addressOf('veteran') }));
    await calm(world);
    expect((await newestPlan(world, addressOf('veteran'))).reasons.join()).toContain('drift');

    const found = await driftOf(await reconciled(), 'veteran');
    await calm(world);
    expect(found).toMatchObject({ kind: 'unassigned', plan: null });
    expect(account.has(addressOf('veteran'))).toBe(true);
    expect(writesAbout('veteran')).toEqual([]);
  });

  it('are given to whoever SendGrid let in by itself at a sign-in', async () => {
    employ('guest', ['Developers'], null);
    account.jitSignIn(addressOf('guest'));
    const found = await driftOf(await reconciled(), 'guest');
    await calm(world);

    expect(found).toMatchObject({ kind: 'arrival', target: addressOf('guest') });
    expect([...mate('guest').scopes].sort()).toEqual(['mail.send', 'stats.read', 'templates.read']);
  });

  it('are not there for an intruder: who was let in by a sign-in and has no grant is removed', async () => {
    employ('intruder', [], null);
    account.jitSignIn(addressOf('intruder'));
    const found = await driftOf(await reconciled(), 'intruder');
    await calm(world);

    expect(found).toMatchObject({ kind: 'arrival' });
    expect(account.has(addressOf('intruder'))).toBe(false);
  });

  it('stand against a change by hand: the next comparison finds it and takes it back', async () => {
    mate('sso-marketers').scopes = [...mate('sso-marketers').scopes, 'api_keys.create'];
    Object.assign(mate('pw-admins'), { is_admin: false, user_type: 'teammate' });
    const run = await reconciled();
    await calm(world);

    expect(await driftOf(run, 'sso-marketers')).toMatchObject({ kind: 'access' });
    expect(await driftOf(run, 'pw-admins')).toMatchObject({ kind: 'access' });
    expect(mate('sso-marketers').scopes).toEqual(personas.marketer);
    expect(mate('pw-admins').is_admin).toBe(true);
    expect((await reconciled()).accounts[0]?.drift.filter(({ kind }) => kind === 'access')).toMatchObject([
      // What SendGrid can't do stays reported.
      { email: addressOf('pw-brand') },
    ]);
  });

  it('leave a name to the directory: it follows, and the access stays exactly what it was', async () => {
    const movers = ['sso-marketers', 'sso-brand-eu', 'sso-admins', 'guest'];
    const before = movers.map((name) => structuredClone(mate(name)));
    for (const name of movers) {
      Object.assign(world.okta.users.get(`00u-${name}`)?.profile ?? {}, { firstName: 'Ann', lastName: 'Ampère' });
      await world.post(world.event('user.account.update_profile', { id: `00u-${name}`, email: addressOf(name) }));
    }
    await calm(world);
    movers.forEach((name, at) => {
      // Everybody has these two, said or not (sendgrid.md §6.3).
      const sorted = ({ scopes, ...rest }: EmulatedTeammate) => ({
        ...rest,
        scopes: scopes.filter((scope) => !scope.startsWith('user.profile.')).sort(),
      });
      expect(sorted(mate(name))).toEqual(
        sorted({ ...(before[at] as EmulatedTeammate), first_name: 'Ann', last_name: 'Ampère' }),
      );
    });
  });

  it('of which SendGrid drops a scope without a word are found, reported with what is missing, and asked again', async () => {
    employ('dropped', [], { scopes: ['alerts.read'] });
    let drops = true;
    world.sendgrid.on('request', ({ method, path }) => {
      if (!drops || method !== 'PATCH' || !path.includes('dropped')) return;
      mate('dropped').scopes = mate('dropped').scopes.filter((scope) => scope !== 'stats.read');
    });
    groupsOf('dropped').add('Developers');
    await world.post(world.event('group.user_membership.add', { id: '00u-dropped', email: addressOf('dropped') }));
    await until('it is reported', async () => {
      const { rows } = await world.database.pool.query(
        `select last_error from action where target = 'dropped@acme.com' and last_error is not null`,
      );
      return rows.some(({ last_error: said }) => /shows it undone \(without stats\.read\)/.test(said));
    });
    drops = false;
    await calm(world);
    expect([...mate('dropped').scopes].sort()).toEqual(['mail.send', 'stats.read', 'templates.read']);
  });

  it('as a persona mean what SendGrid makes of it: that is noted once, and is no drift afterwards', async () => {
    employ('thin', [], { scopes: ['alerts.read'] });
    world.sendgrid.on('request', ({ method, path }) => {
      if (method !== 'PATCH' || !path.includes('thin')) return;
      mate('thin').scopes = mate('thin').scopes.filter((scope) => !scope.startsWith('marketing_campaigns'));
    });
    await moves('thin', ['Marketers']);

    expect(writesAbout('thin')).toHaveLength(1);
    expect((await newestPlan(world, addressOf('thin'))).state).toBe('settled');
    const note = (await verifiedTrail(world)).find(
      ({ kind, person }) => kind === 'action.applied' && person?.email === addressOf('thin'),
    );
    expect(String(note?.detail?.why)).toMatch(/marketer means here: without .*marketing_campaigns\.read/);
    await moves('thin', ['Marketers']);
    expect((await driftOf(await reconciled(), 'thin')) ?? null).toBeNull();
    await calm(world);
    expect(writesAbout('thin')).toHaveLength(1);
  });

  it('with a scope that this account’s SendGrid refuses, with its status 500, fail for good and change nothing', async () => {
    employ('scholar', [], { scopes: ['alerts.read'] });
    await moves('scholar', ['Researchers']);

    const plan = await newestPlan(world, addressOf('scholar'));
    expect(plan.actions.map(({ state }) => state)).toEqual(['failed']);
    expect(plan.actions[0]?.lastError).toContain('invalid scopes provided');
    expect(writesAbout('scholar').map(({ status }) => status)).toEqual([500]);
    expect(mate('scholar').scopes).toEqual(['alerts.read']);
    const trail = await verifiedTrail(world);
    const failed = trail.filter(
      ({ kind, person }) => kind === 'action.failed' && person?.email === addressOf('scholar'),
    );
    expect(failed).toHaveLength(1);
  });
});

describe('joiners, where `provisioning.create` says so', () => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld({
      accounts: [
        { name: 'with-sso', more: ', identity: "{local}+sso@{domain}"' },
        { name: 'by-invitation', more: ', sso: false' },
      ],
      config: `${roles}grants:
  - { group: Marketers, account: with-sso, role: marketer }
  - { group: Developers, account: by-invitation, role: developer }
provisioning: { create: true }
`,
    });
  });
  afterAll(() => world.end());

  const join = (name: string, ...groups: string[]) => {
    const person = { id: `00u-${name}`, email: `${name}@acme.com`, firstName: 'Jo', lastName: 'Iner' };
    const user = world.okta.addUser(person);
    for (const group of groups) user.groups.add(group);
    return person;
  };

  it('become an SSO teammate under the address of that account, or are invited, each exactly once', async () => {
    const person = join('jo', 'Marketers', 'Developers');
    const events = ['user.lifecycle.create', 'user.lifecycle.activate', 'group.user_membership.add'];
    await Promise.all(events.map((type) => world.post(world.event(type, person))));
    await calm(world);
    await world.post(world.event('group.user_membership.add', person));
    await calm(world);

    expect(world.account('with-sso').teammate('jo+sso@acme.com')).toMatchObject({
      is_sso: true,
      first_name: 'Jo',
      last_name: 'Iner',
      scopes: personas.marketer,
    });
    const invitations = [...world.account('by-invitation').invitations.values()];
    expect(invitations).toMatchObject([
      { email: 'jo@acme.com', is_admin: false, scopes: ['mail.send', 'stats.read', 'templates.read'] },
    ]);
    expect(writes(world.sendgrid.journal).sort()).toEqual([
      'by-invitation POST /v3/teammates',
      'with-sso POST /v3/sso/teammates',
    ]);
  });

  it('are not made twice when SendGrid makes them and its answer is lost', async () => {
    const person = join('lost', 'Marketers', 'Developers');
    for (const path of [/sso\/teammates/, /\/v3\/teammates$/]) {
      world.sendgrid.faults.inject({ method: 'POST', path, times: 1, fault: { kind: 'apply-then-reset' } });
    }
    const before = writes(world.sendgrid.journal).length;
    await world.post(world.event('group.user_membership.add', person));
    await calm(world);

    expect(writes(world.sendgrid.journal).slice(before).sort()).toEqual([
      'by-invitation POST /v3/teammates',
      'with-sso POST /v3/sso/teammates',
    ]);
    const plan = await newestPlan(world, person.email);
    expect(plan.actions.map(({ state }) => state)).toEqual(['done', 'done']);
    expect(plan.state).toBe('settled');
  });

  it('without a grant stay outside', async () => {
    const person = join('nobody');
    await world.post(world.event('user.lifecycle.create', person));
    await calm(world);
    expect(world.account('with-sso').hasAnywhere('nobody+sso@acme.com')).toBe(false);
    expect(world.account('by-invitation').hasAnywhere(person.email)).toBe(false);
  });

  it('who leave before they accepted lose the invitation too', async () => {
    world.okta.setStatus('00u-jo', 'DEPROVISIONED');
    await minutesPass(world);
    await world.post(world.event('user.lifecycle.deactivate', { id: '00u-jo', email: 'jo@acme.com' }));
    await calm(world);
    expect(world.account('with-sso').has('jo+sso@acme.com')).toBe(false);
    expect(world.account('by-invitation').has('jo@acme.com')).toBe(false);
  });
});
