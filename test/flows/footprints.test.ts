import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PlanItem } from '#shared/store/plans.js';
import type { EmulatedAccount } from '#test/emulators/sendgrid/index.js';
import { actionLines, calm, minutesPass, newestPlan, verifiedTrail, writes } from '#test/support/flow.js';
import { createWorld, type World } from '#test/support/world.js';

const reassign = '[verified_senders, senders, alerts, forward_bounce, forward_spam, address_whitelist]';

describe('a leaver with every kind of footprint', () => {
  let world: World;
  let account: EmulatedAccount;
  let things: { verified: number; sender: number; legacy: number; alert: number; usAlert: number; request: number };
  const boss = { id: '00u-boss', email: 'boss@acme.com' };
  const jane = { id: '00u-jane', email: 'jane@acme.com' };

  beforeAll(async () => {
    world = await createWorld({
      accounts: [
        {
          name: 'marketing',
          subusers: [
            { id: 11, username: 'brand-eu', email: 'jane@acme.com' },
            { id: 12, username: 'brand-us' },
          ],
          alerts: [{ email_to: 'ops@acme.com' }],
          forwardSpam: 'abuse@acme.com, Jane@acme.com',
          forwardBounce: 'jane@acme.com',
          addressWhitelist: ['jane@acme.com', 'partner.example'],
          apiKeys: [{ name: 'jane-nightly' }, { name: 'billing' }],
        },
      ],
      config: `offboarding:
  successor: manager
  successors: [{ group: Contractors, successor: vendors@acme.com }]
  reassign: ${reassign}
`,
    });
    account = world.account();
    world.hire('boss');
    world.hire('jane', { managerId: boss.id });
    // Somebody else's things, alike but for the address.
    world.hire('kim');
    account.inSubuser('brand-us').addTeammate({ email: 'kim@acme.com' });
    account.inSubuser('brand-us').invite({ email: 'kim@acme.com' });
    account.invite({ email: 'jane@acme.com.example' });
    account.requestAccess({ email: 'kim@acme.com' });
    account.addVerifiedSender({ from_email: 'kim@acme.com', verified: true });
    account.addSender({ from: 'kim@acme.com' });
    // Jane's.
    account.inSubuser('brand-eu').addTeammate({ email: jane.email });
    account.invite({ email: 'Jane@ACME.com' });
    account.inSubuser('brand-us').invite({ email: jane.email });
    things = {
      request: account.requestAccess({ email: jane.email }).id,
      verified: account.addVerifiedSender({ from_email: jane.email, nickname: 'Jane', verified: true }).id,
      sender: account.addSender({ from: jane.email, nickname: 'Newsletter', locked: true }).id,
      legacy: account.addLegacySender({ from: jane.email }).id,
      alert: account.addAlert({ email_to: 'Jane@acme.com' }).id,
      usAlert: account.inSubuser('brand-us').addAlert({ email_to: jane.email, frequency: 'daily' }).id,
    };
    await minutesPass(world);
  });
  afterAll(() => world.end());

  const planActions = (plan: PlanItem, state: string) =>
    plan.actions.filter((action) => action.state === state).map(({ footprint }) => footprint);
  const sender = () => account.senders.get(things.sender);
  const successorsIdentity = () =>
    [...account.verifiedSenders.values()].find(({ from_email }) => from_email === boss.email);

  it('is shown with all of it, and with what somebody has to do by hand, before anything is changed', async () => {
    world.okta.setStatus(jane.id, 'DEPROVISIONED');
    const { code, stdout } = await world.workplace.run(['plan', jane.email]);

    expect(code).toBe(0);
    for (const line of [
      'delete teammate jane@acme.com [ready]',
      'delete teammate jane@acme.com in subuser brand-eu',
      'withdraw invitation jane@acme.com [ready]',
      'withdraw invitation jane@acme.com in subuser brand-us',
      `deny access request ${things.request}`,
      'reassign verified sender Jane → boss@acme.com',
      'reassign sender Newsletter → boss@acme.com',
      'reassign legacy sender',
      'reassign alert at 90 % of the credits → boss@acme.com [ready] (boss@acme.com is their manager)',
      'reassign daily statistics mail in subuser brand-us → boss@acme.com',
      'reassign spam report forwarding → boss@acme.com',
      'reassign bounce forwarding → boss@acme.com',
      'for you: the contact address of subuser brand-eu is theirs',
      'for you: account e-mail and billing contact',
      'for you: API key “jane-nightly”',
      'for you: 1 API key has no known owner',
    ]) {
      expect(stdout).toContain(line);
    }
    expect(stdout).not.toContain('kim');
    expect(writes(world.sendgrid.journal)).toEqual([]);
  });

  it('is removed from all of them at once, without waiting for the successor’s click or a locked sender', async () => {
    expect(await world.post(world.event('user.lifecycle.deactivate', jane))).toBe(204);
    await calm(world);

    expect(account.has(jane.email)).toBe(false);
    for (const name of ['brand-eu', 'brand-us']) expect(account.inSubuser(name).has(jane.email)).toBe(false);
    expect([...(account.accessRequests?.values() ?? [])].map(({ email }) => email)).toEqual(['kim@acme.com']);
    const plan = await newestPlan(world, jane.email);
    expect(plan.state).toBe('waiting');
    expect(planActions(plan, 'waiting').sort()).toEqual(['legacy-sender', 'sender', 'verified-sender']);
    expect(plan.actions.filter(({ state }) => state !== 'done' && state !== 'waiting')).toEqual([]);
    const why = new Map(plan.actions.map(({ footprint, lastError }) => [footprint, lastError]));
    expect(why.get('sender')).toContain('locked');
    expect(why.get('verified-sender')).toContain('boss@acme.com has not answered');
  });

  it('hands over first: every hand-over was tried before the teammate was deleted', () => {
    const journal = writes(world.sendgrid.journal);
    const deletions = journal.flatMap((line, at) => (line.includes('DELETE /v3/teammates/') ? [at] : []));
    const handovers = journal.flatMap((line, at) => (/ (PATCH|POST) /.test(line) ? [at] : []));
    expect(handovers).toHaveLength(7);
    expect(Math.max(...handovers)).toBeLessThan(Math.min(...deletions));
  });

  it('changes nothing that is not theirs: the journal holds these requests and no others, each once', () => {
    const journal = writes(world.sendgrid.journal).map((line) => line.replace(/pending\/\w+/, 'pending/…'));
    expect(journal.sort()).toEqual(
      [
        `marketing DELETE /v3/scopes/requests/${things.request}`,
        'marketing POST /v3/verified_senders',
        `marketing PATCH /v3/senders/${things.legacy}`,
        `marketing PATCH /v3/alerts/${things.alert}`,
        `marketing/brand-us PATCH /v3/alerts/${things.usAlert}`,
        'marketing PATCH /v3/mail_settings/forward_bounce',
        'marketing PATCH /v3/mail_settings/forward_spam',
        'marketing PATCH /v3/mail_settings/address_whitelist',
        'marketing DELETE /v3/teammates/jane@acme.com',
        'marketing/brand-eu DELETE /v3/teammates/jane@acme.com',
        'marketing DELETE /v3/teammates/pending/…',
        'marketing/brand-us DELETE /v3/teammates/pending/…',
      ].sort(),
    );
  });

  it('gives what they owned to the manager; a list loses their entry and keeps the others', () => {
    expect(account.alerts.get(things.alert)).toMatchObject({ email_to: boss.email, percentage: 90 });
    expect(account.inSubuser('brand-us').alerts.get(things.usAlert)).toMatchObject({
      email_to: boss.email,
      frequency: 'daily',
    });
    expect(account.forwardBounce).toEqual({ email: boss.email, enabled: true });
    expect(account.forwardSpam).toEqual({ email: 'abuse@acme.com, boss@acme.com', enabled: true });
    expect(account.addressWhitelist).toEqual({ list: ['partner.example'], enabled: true });
    expect(account.legacySenders.get(things.legacy)?.from.email).toBe(boss.email);
  });

  it('leaves the old verified sender in use until the successor has clicked, and asks again after a day', async () => {
    const identity = successorsIdentity();
    expect(identity).toMatchObject({ verified: false, from_name: 'Acme' });
    expect(account.verifiedSenders.get(things.verified)).toMatchObject({ from_email: jane.email, verified: true });
    expect(account.mails.filter(({ senderId }) => senderId === identity?.id)).toHaveLength(1);

    await minutesPass(world);
    expect(account.mails.filter(({ senderId }) => senderId === identity?.id)).toHaveLength(1);
    await world.database.pool.query(
      `update action set created_at = created_at - interval '25 hours' where footprint = 'verified-sender'`,
    );
    await minutesPass(world);
    expect(account.mails.filter(({ senderId }) => senderId === identity?.id)).toHaveLength(2);
    await minutesPass(world);
    expect(account.mails.filter(({ senderId }) => senderId === identity?.id)).toHaveLength(2);
  });

  it('switches who uses the old sender before it goes, even when the click comes first', async () => {
    account.verifySender(successorsIdentity()?.id ?? 0);
    account.verifySender(things.legacy);
    await minutesPass(world);

    // The newsletter still sends from the old address, and is locked.
    expect(account.verifiedSenders.has(things.verified)).toBe(true);
    expect(sender()?.from.email).toBe(jane.email);
    const plan = await newestPlan(world, jane.email);
    expect(plan.actions.find(({ footprint }) => footprint === 'verified-sender')?.lastError).toContain('Newsletter');
    expect(planActions(plan, 'waiting').sort()).toEqual(['sender', 'verified-sender']);
  });

  it('is settled once the last sender is free, with no trace of their address left', async () => {
    const locked = sender();
    if (locked !== undefined) locked.locked = false;
    await minutesPass(world);
    await minutesPass(world);

    expect(sender()).toMatchObject({ from: { email: boss.email }, reply_to: { email: boss.email }, verified: true });
    expect(account.verifiedSenders.has(things.verified)).toBe(false);
    expect(account.hasAnywhere(jane.email)).toBe(false);
    const plan = await newestPlan(world, jane.email);
    expect(plan.state).toBe('settled');
    expect(new Set(plan.actions.map(({ state }) => state))).toEqual(new Set(['done']));
    const order = writes(world.sendgrid.journal);
    expect(order.indexOf(`marketing PATCH /v3/marketing/senders/${things.sender}`)).toBeLessThan(
      order.indexOf(`marketing DELETE /v3/verified_senders/${things.verified}`),
    );
  });

  it('keeps on the plan what no API can change', async () => {
    const { todos } = await newestPlan(world, jane.email);
    const texts = todos.map(({ text }) => text).join('\n');
    for (const part of ['contact address of subuser brand-eu', 'billing contact', 'jane-nightly', '1 API key has no']) {
      expect(texts).toContain(part);
    }
  });

  it('goes to the successor of their group where the policy names one', async () => {
    world.hire('carl', { managerId: boss.id });
    world.okta.users.get('00u-carl')?.groups.add('Contractors');
    const alert = account.addAlert({ email_to: 'carl@acme.com' });
    await minutesPass(world);
    world.okta.setStatus('00u-carl', 'DEPROVISIONED');
    await world.post(world.event('user.lifecycle.deactivate', { id: '00u-carl', email: 'carl@acme.com' }));
    await calm(world);

    expect(alert.email_to).toBe('vendors@acme.com');
    expect(account.has('carl@acme.com')).toBe(false);
  });

  it('has a to-do instead where the manager has left too; the person goes all the same', async () => {
    world.okta.addUser({ id: '00u-exboss', email: 'exboss@acme.com', status: 'DEPROVISIONED' });
    world.hire('dora', { managerId: '00u-exboss' });
    const alert = account.addAlert({ email_to: 'dora@acme.com' });
    await minutesPass(world);
    world.okta.setStatus('00u-dora', 'DEPROVISIONED');
    await world.post(world.event('user.lifecycle.deactivate', { id: '00u-dora', email: 'dora@acme.com' }));
    await calm(world);

    expect(account.has('dora@acme.com')).toBe(false);
    expect(alert.email_to).toBe('dora@acme.com');
    const { todos, state } = await newestPlan(world, 'dora@acme.com');
    expect(state).toBe('settled');
    expect(todos.map(({ text }) => text).join()).toContain('names no manager who is still there');
  });

  it('is left alone as the owner of a subuser, is removed everywhere else, and the plan says so', async () => {
    world.hire('olga', { managerId: boss.id });
    account.inSubuser('brand-us').addTeammate({ email: 'olga@acme.com', user_type: 'owner', is_admin: true });
    await minutesPass(world);
    world.okta.setStatus('00u-olga', 'DEPROVISIONED');
    await world.post(world.event('user.lifecycle.deactivate', { id: '00u-olga', email: 'olga@acme.com' }));
    await calm(world);

    expect(account.has('olga@acme.com')).toBe(false);
    expect(account.inSubuser('brand-us').has('olga@acme.com')).toBe(true);
    const tried = world.sendgrid.journal.filter(
      ({ method, subuser, path }) => method === 'DELETE' && subuser === 'brand-us' && path.includes('olga'),
    );
    expect(tried).toEqual([]);
    const plan = await newestPlan(world, 'olga@acme.com');
    expect(plan.state).toBe('held');
    expect(plan.refused.map(({ rule }) => rule)).toEqual(['owner']);
  });

  it('leaves everything of everybody else as it was', () => {
    expect(account.has('kim@acme.com')).toBe(true);
    expect(account.inSubuser('brand-us').teammate('kim@acme.com')).toBeDefined();
    expect(account.inSubuser('brand-us').invitations.size).toBe(1);
    expect(account.has('jane@acme.com.example')).toBe(true);
    expect(account.holds('kim@acme.com')).toBe(true);
    expect(account.holds('ops@acme.com')).toBe(true);
    expect([...account.apiKeys.values()].map(({ name }) => name).sort()).toEqual([
      'Sendoff',
      'billing',
      'jane-nightly',
    ]);
  });

  it('leaves an audit trail that verifies, names every place, and states nobody’s address as a fact', async () => {
    const trail = await verifiedTrail(world);
    const applied = trail.filter(({ kind, person }) => kind === 'action.applied' && person?.email === jane.email);
    const places = applied.map(
      ({ action }) =>
        `${action?.kind} ${action?.footprint}${action?.subuser === undefined ? '' : ` ${action.subuser}`}`,
    );
    expect(places.sort()).toEqual([
      'deprovision access-request',
      'deprovision invitation',
      'deprovision invitation brand-us',
      'deprovision teammate',
      'deprovision teammate brand-eu',
      'reassign address-whitelist',
      'reassign alert',
      'reassign alert brand-us',
      'reassign forward-bounce',
      'reassign forward-spam',
      'reassign legacy-sender',
      'reassign sender',
      'reassign verified-sender',
    ]);
    // What was there is told, but an address only where it can be erased.
    const bounce = applied.find(({ action }) => action?.footprint === 'forward-bounce');
    expect(bounce?.personal).toMatchObject({ 'before.email': jane.email });
    for (const { before, after, detail } of trail) {
      expect(JSON.stringify({ before, after, detail })).not.toMatch(/@|jane|kim|boss/i);
    }
  });
});

describe('a subuser that can’t be read, and nobody to succeed', () => {
  let world: World;
  let account: EmulatedAccount;
  const jane = { id: '00u-jane', email: 'jane@acme.com' };

  beforeAll(async () => {
    world = await createWorld({
      accounts: [
        {
          name: 'marketing',
          subusers: [
            { id: 11, username: 'brand-eu' },
            { id: 12, username: 'brand-us', teammates: [{ email: jane.email }] },
          ],
          alerts: [{ email_to: jane.email }],
          forwardSpam: 'abuse@acme.com, jane@acme.com',
        },
      ],
      config: 'offboarding: { successor: none }\n',
      roles: [],
    });
    account = world.account();
    world.hire('jane');
    world.hire('kim');
    account.inSubuser('brand-eu').addTeammate({ email: jane.email });
    world.sendgrid.faults.inject({ subuser: 'brand-us', fault: { kind: 'status', status: 403 } });
    await world.start('up');
    await world.reconciled();
  });
  afterAll(() => world.end());

  it('is named in the plan as not read', async () => {
    world.okta.setStatus(jane.id, 'DEPROVISIONED');
    await world.post(world.event('user.lifecycle.deactivate', jane));
    await calm(world);

    expect(account.has(jane.email)).toBe(false);
    expect(account.inSubuser('brand-eu').has(jane.email)).toBe(false);
    const plan = await newestPlan(world, jane.email);
    expect(plan.state).toBe('settled');
    expect(plan.notRead.map(({ account: name, part }) => `${name}: ${part}`)).toContain('marketing: subuser brand-us');
    const shown = await world.workplace.run(['plans', 'show', plan.id]);
    expect(shown.stdout).toContain('not read: subuser brand-us');
  });

  it('is named where the person is recorded as settled, and counts as clean nowhere', async () => {
    const trail = await verifiedTrail(world);
    const settled = trail.filter(({ kind }) => kind === 'person.settled').at(-1);
    expect(settled?.detail?.notRead).toContainEqual({ account: 'marketing', part: 'subuser brand-us' });

    const reconciled = await world.json<{
      accounts: { complete: boolean; problems: string[] }[];
    }>('reconcile');
    expect(reconciled.accounts[0]?.complete).toBe(false);
    expect(reconciled.accounts[0]?.problems.join()).toContain('subuser brand-us not read');
  });

  it('is swept as soon as it can be read again', async () => {
    world.sendgrid.faults.clear();
    await minutesPass(world);
    await world.json('reconcile');
    await calm(world);
    expect(account.inSubuser('brand-us').has(jane.email)).toBe(false);
  });

  it('leaves to the operator what nobody takes over, and takes the address out of lists that others are on', async () => {
    expect([...account.alerts.values()].map(({ email_to }) => email_to)).toEqual([jane.email]);
    expect(account.forwardSpam.email).toBe('abuse@acme.com');
    const { items } = await world.json<{ items: PlanItem[] }>('plans', 'list', '--all');
    const first = items.findLast(({ person }) => person.email === jane.email);
    expect(first?.todos.map(({ text }) => text).join()).toContain(
      'nobody takes it over: offboarding.successor is none',
    );
    expect(actionLines(first ?? { actions: [] })).toContain('reassign forward-spam: done');
  });
});
