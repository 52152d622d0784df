import { afterEach, describe, expect, it } from 'vitest';
import type { LogEventSeed } from '#test/emulators/okta/index.js';
import { until } from '#test/support/sendoff.js';
import type { World } from '#test/support/world.js';
import { createOktaWorld, dueNow } from './okta-world.js';

// Events that concern many people at once: none of them may remove everyone.

const app = '0oasendgrid';
const config = `
roles:
  writer: { scopes: [mail.send] }
grants:
  - { group: Writers, account: marketing, role: writer }
limits: { removals: { floor: 2, max: 2 } }
offboarding: { successor: none, reassign: [] }
`;

describe('events of Okta about many people', () => {
  let world: World;
  afterEach(() => world.end());

  const open = async () => {
    world = await createOktaWorld({ poll: '1h', app, config });
    world.okta.apps.add(app);
    const people = Array.from({ length: 8 }, (_, i) => world.hire(`p${i}`));
    for (const { id } of people) {
      world.okta.setMember(id, 'Writers', true);
      world.okta.users.get(id)?.apps.add(app);
    }
    await world.start('up');
    await world.reconciled();
    return people;
  };
  const states = async (...events: { uuid: string }[]) => {
    const { rows } = await world.database.pool.query<{ state: string; reason: string | null }>(
      'select state, reason from inbox where event_id = any($1)',
      [events.map(({ uuid }) => uuid)],
    );
    return rows;
  };
  /** It stands in the log, is read, and whatever follows from it has happened. */
  const told = async (...seeds: LogEventSeed[]) => {
    const events = seeds.map((seed) => world.okta.record(seed));
    await dueNow(world, 'system-log');
    await until('it was read', async () => (await states(...events)).length === events.length);
    return events;
  };
  const removals = () => world.sendgrid.applied().filter(({ method }) => method !== 'GET');
  const about = (eventType: string, { id, email }: { id: string; email: string }, more = {}): LogEventSeed => {
    return { eventType, userId: id, login: email, ...more };
  };
  const ofMany = (eventType: string, more = {}): LogEventSeed => ({ eventType, userId: '', login: '', ...more });

  it('the app is deactivated: everybody’s events wait, and nobody is removed', async () => {
    const people = await open();
    await world.quiet();
    const before = removals().length;
    world.okta.inactiveApps.add(app);
    for (const { id } of people) world.okta.users.get(id)?.apps.clear();
    const [event] = await told(ofMany('application.lifecycle.deactivate', { appId: app }));
    expect(await states(event as { uuid: string })).toMatchObject([
      { state: 'ignored', reason: expect.stringContaining('many people') },
    ]);
    const each = await told(
      ...people.map((person) => about('application.user_membership.remove', person, { appId: app })),
    );
    await until('each has been looked at', async () =>
      (await states(...each)).every(({ state }) => state === 'waiting'),
    );
    expect(removals()).toHaveLength(before);
  });

  it('a group is deleted: the event removes nobody, a comparison is held, and what follows keeps to the limit', async () => {
    const people = await open();
    await world.quiet();
    const before = removals().length;
    for (const { id } of people) world.okta.users.get(id)?.groups.clear();
    const [event] = await told(ofMany('group.lifecycle.delete', { group: 'Writers' }));
    expect(await states(event as { uuid: string })).toMatchObject([{ state: 'ignored' }]);
    await world.quiet();
    expect(removals()).toHaveLength(before);

    const { code } = await world.workplace.run(['reconcile', '--once', '--json']);
    expect(code).toBe(3);
    expect(removals()).toHaveLength(before);
    for (const { email } of people) expect(world.account().has(email)).toBe(true);

    await told(...people.map((person) => about('group.user_membership.remove', person, { group: 'Writers' })));
    await until('each has been looked at', async () => {
      const { rows } = await world.database.pool.query(`select 1 from inbox where state in ('received', 'queued')`);
      return rows.length === 0;
    });
    expect(people.filter(({ email }) => !world.account().has(email)).length).toBeLessThanOrEqual(2);
  });

  it('the app is taken from a group: who still has it keeps everything', async () => {
    await open();
    await world.quiet();
    const before = removals().length;
    const [event] = await told(ofMany('group.application_assignment.remove', { appId: app, group: 'Writers' }));
    expect(await states(event as { uuid: string })).toMatchObject([{ state: 'ignored' }]);
    await world.quiet();
    expect(removals()).toHaveLength(before);
  });
});
