import { afterEach, describe, expect, it } from 'vitest';
import { type OktaEmulator, startOktaEmulator } from '#test/emulators/okta/index.js';
import { createWorld, hookSecret, type World } from '#test/support/world.js';

// Two Okta orgs: employees in the first, contractors in the second, and some people in both.

describe('several authorities', () => {
  let world: World;
  let orgs: Record<'staff' | 'contractors', OktaEmulator>;
  afterEach(async () => {
    await world.end();
    await Promise.all(Object.values(orgs).map((org) => org.close()));
  });

  async function open(): Promise<void> {
    orgs = { staff: await startOktaEmulator(), contractors: await startOktaEmulator() };
    const yaml = Object.entries(orgs)
      .map(
        ([name, { url }]) =>
          `  ${name}: { type: okta, orgUrl: "${url}", token: okta-emulator-token, hookSecret: ${hookSecret}, poll: off }`,
      )
      .join('\n');
    world = await createWorld({ sources: { authority: '[staff, contractors]', yaml } });
  }

  const addTo = (org: keyof typeof orgs, name: string) =>
    orgs[org].addUser({ id: `${org}-${name}`, email: `${name}@acme.com` });
  const joinSendGrid = (name: string) => world.account().addTeammate({ email: `${name}@acme.com` });
  const leave = async (org: keyof typeof orgs, name: string): Promise<void> => {
    orgs[org].setStatus(`${org}-${name}`, 'DEPROVISIONED');
    const event = { eventType: 'user.lifecycle.deactivate', userId: `${org}-${name}`, login: `${name}@acme.com` };
    expect(await orgs[org].deliver(`${world.url}/hooks/${org}`, hookSecret, [event])).toBe(204);
    await world.quiet();
  };
  const has = (name: string) => world.account().has(`${name}@acme.com`);

  it('each says of its own people that they left', async () => {
    await open();
    for (const [org, name] of [
      ['staff', 'ann'],
      ['contractors', 'carl'],
    ] as const) {
      addTo(org, name);
      joinSendGrid(name);
      await leave(org, name);
      expect(has(name)).toBe(false);
    }
  });

  it('who is in both belongs to the first: the second’s word does not count', async () => {
    await open();
    addTo('staff', 'bea');
    addTo('contractors', 'bea');
    joinSendGrid('bea');
    await leave('contractors', 'bea');
    expect(has('bea')).toBe(true);
    await leave('staff', 'bea');
    expect(has('bea')).toBe(false);
  });

  it('a comparison with both finds whom no hook announced, and keeps whom the owner keeps', async () => {
    await open();
    for (const name of ['ann', 'bea', 'dan']) {
      addTo('staff', name);
      joinSendGrid(name);
    }
    for (const name of ['bea', 'carl', 'eve', 'fay']) addTo('contractors', name);
    for (const name of ['carl', 'eve', 'fay']) joinSendGrid(name);
    await world.workplace.run(['reconcile']);
    orgs.staff.setStatus('staff-ann', 'DEPROVISIONED');
    orgs.contractors.setStatus('contractors-bea', 'DEPROVISIONED');
    orgs.contractors.setStatus('contractors-carl', 'DEPROVISIONED');
    await world.workplace.run(['reconcile']);
    await world.quiet();
    expect(['ann', 'bea', 'carl', 'dan', 'eve', 'fay'].filter(has)).toEqual(['bea', 'dan', 'eve', 'fay']);
  });

  it('whom the owner’s list hides is asked for, although the other still lists them as active', async () => {
    await open();
    for (const name of ['ann', 'bea', 'dan', 'eve', 'fay']) {
      addTo('staff', name);
      addTo('contractors', name);
      joinSendGrid(name);
    }
    // Before anybody is tied to anything.
    orgs.staff.setStatus('staff-bea', 'DEPROVISIONED');
    await world.workplace.run(['reconcile']);
    await world.quiet();
    expect(['ann', 'bea', 'dan', 'eve', 'fay'].filter(has)).toEqual(['ann', 'dan', 'eve', 'fay']);
  });

  it('ties made while the other was the authority do not stand against the owner', async () => {
    await open();
    for (const name of ['ann', 'bea', 'dan', 'eve', 'fay']) {
      addTo('contractors', name);
      joinSendGrid(name);
    }
    await world.workplace.run(['reconcile']);
    for (const name of ['ann', 'bea', 'dan', 'eve', 'fay']) addTo('staff', name);
    await leave('staff', 'bea');
    expect(has('bea')).toBe(false);
    orgs.staff.setStatus('staff-dan', 'DEPROVISIONED');
    await world.workplace.run(['reconcile']);
    await world.quiet();
    expect(['ann', 'bea', 'dan', 'eve', 'fay'].filter(has)).toEqual(['ann', 'eve', 'fay']);
  });

  it('an address that was left behind by the first and is active in the second is held, not removed', async () => {
    await open();
    addTo('staff', 'ann');
    joinSendGrid('ann');
    await leave('staff', 'ann');
    orgs.staff.deleteUser('staff-ann');
    addTo('contractors', 'ann');
    joinSendGrid('ann');
    const joined = { eventType: 'user.lifecycle.activate', userId: 'contractors-ann', login: 'ann@acme.com' };
    await orgs.contractors.deliver(`${world.url}/hooks/contractors`, hookSecret, [joined]);
    await world.quiet();
    expect(has('ann')).toBe(true);
  });

  it('one that cannot be read says nothing, and nobody of the other is taken for gone', async () => {
    await open();
    addTo('staff', 'ann');
    addTo('contractors', 'carl');
    joinSendGrid('ann');
    joinSendGrid('carl');
    orgs.contractors.fault = { kind: 'status', status: 500 };
    const { code } = await world.workplace.run(['reconcile']);
    expect(code).not.toBe(0);
    await leave('staff', 'ann');
    expect(['ann', 'carl'].filter(has)).toEqual(['carl']);
  });
});
