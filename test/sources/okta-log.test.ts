import { afterEach, describe, expect, it } from 'vitest';
import { type OktaEmulator, startOktaEmulator } from '#test/emulators/okta/index.js';
import { until } from '#test/support/sendoff.js';
import { hookSecret, type World } from '#test/support/world.js';
import { createOktaWorld, dueNow, taskRow } from './okta-world.js';

// What no hook brought: the System Log, read from where it was left off.

describe('okta’s System Log', () => {
  let world: World;
  let second: OktaEmulator | null = null;
  afterEach(async () => {
    await world.end();
    await second?.close();
    second = null;
  });

  const removals = () => world.sendgrid.applied().filter(({ method }) => method === 'DELETE');
  const gone = (...people: { email: string }[]) =>
    until('they are gone', () => people.every(({ email }) => !world.account().has(email)));
  const staff = (count: number, prefix = 'p') => Array.from({ length: count }, (_, i) => world.hire(`${prefix}${i}`));
  const leave = (...people: { id: string }[]) => {
    for (const { id } of people) world.okta.setStatus(id, 'DEPROVISIONED');
  };
  const place = async (source = 'okta') => (await taskRow(world, source, 'system-log'))?.cursor ?? null;
  /** Everything that the log holds has been read. */
  const caughtUp = async () => {
    const asked = new Date();
    await until('the log was read to its end', async () => {
      // A reading that ends meanwhile says when the next one is due, and would have the last word.
      await dueNow(world, 'system-log');
      const seenUntil = /"seenUntil":"([^"]+)"/.exec((await place()) ?? '')?.[1];
      return seenUntil !== undefined && new Date(seenUntil) > asked;
    });
  };
  const inbox = async () => {
    const { rows } = await world.database.pool.query<{ event_id: string; state: string; sender_type: string }>(
      'select event_id, state, sender_type from inbox order by seq',
    );
    return rows;
  };
  /** Whoever is removed from here on was found in the log: nothing else looks. */
  const start = async (env: NodeJS.ProcessEnv = {}) => {
    const running = await world.start('up', env);
    await world.reconciled();
    return running;
  };

  it('the receiver was down for an hour: every push is lost, and one catch-up finds every leaver, once', async () => {
    world = await createOktaWorld({ poll: '1h' });
    const people = staff(30);
    const running = await start();
    await caughtUp();
    await world.workplace.run(['subscriptions', 'ensure']);
    await running.stop();

    world.okta.unpushed.length = 0;
    leave(...people.slice(0, 25));
    await world.okta.pushAll();
    await start();
    await dueNow(world, 'system-log');
    await gone(...people.slice(0, 25));
    await world.quiet();

    expect(removals()).toHaveLength(25);
    for (const { email } of people.slice(25)) expect(world.account().has(email)).toBe(true);
    // What Okta says of the pushes that failed is there to be seen.
    const { items } = await world.json<{ items: { state: string; type: string | null }[] }>('events', 'list', '--all');
    expect(items.filter(({ state }) => state === 'ignored').length).toBeGreaterThanOrEqual(25);
    expect((await inbox()).filter((row) => row.sender_type === 'event_hook.delivery')).toHaveLength(25);
  }, 240_000);

  it('one catch-up that alone would remove more people than limits.removals allows is held whole', async () => {
    world = await createOktaWorld({ poll: '1h', config: 'limits: { removals: { floor: 3, share: 0, max: 3 } }\n' });
    const people = staff(20);
    await start();
    await caughtUp();
    // What is planned later than they leave says so too, and is no catch-up of leavers.
    await world.quiet();
    world.okta.unpushed.length = 0;
    leave(...people.slice(0, 4));
    await caughtUp();
    await world.quiet();

    expect(removals()).toEqual([]);
    const { items } = await world.json<{ items: { state: string; hold: { reasons: string[] } | null }[] }>(
      'plans',
      'list',
    );
    const held = items.filter(({ state }) => state === 'held');
    expect(held).toHaveLength(4);
    for (const { hold } of held) expect(hold?.reasons.join()).toContain('this catch-up alone would take access from 4');
  });

  it('a push and the log tell of the same event in one row, whichever comes first', async () => {
    world = await createOktaWorld({ poll: '1h' });
    const [early, late] = [world.hire('early'), world.hire('late')];
    await start();
    await caughtUp();
    const push = (email: string) => {
      const events = world.okta.unpushed.filter(({ login }) => login === email);
      return world.okta.deliver(`${world.url}/hooks/okta`, hookSecret, events);
    };
    world.okta.unpushed.length = 0;
    leave(early, late);
    expect(await push(early.email)).toBe(204);
    await caughtUp();
    expect(await push(late.email)).toBe(204);
    await gone(early, late);
    await world.quiet();
    const told = (await inbox()).filter((row) => row.sender_type === 'user.lifecycle.deactivate');
    expect(told.map((row) => row.event_id).sort()).toEqual(world.okta.unpushed.map(({ uuid }) => uuid).sort());
    expect(removals()).toHaveLength(2);
  });

  it('finds what hooks never carry', async () => {
    world = await createOktaWorld({ poll: '1h' });
    const person = world.hire('jane');
    await start();
    await caughtUp();
    const user = world.okta.users.get(person.id);
    if (user !== undefined) user.status = 'DEPROVISIONED';
    world.okta.record({ eventType: 'system.import.user.delete', userId: person.id, login: person.email });
    await dueNow(world, 'system-log');
    await gone(person);
  });

  it.each(['before_commit', 'after_commit'])(
    'SIGKILL %s of a page: the place is that of the last page stored',
    async (at) => {
      world = await createOktaWorld({ poll: '1h' });
      const people = staff(12);
      const running = await start();
      await caughtUp();
      await running.stop();
      leave(...people);

      const before = await place();
      const rows = (await inbox()).length;
      await dueNow(world, 'system-log');
      // It may die before it has said that it is up.
      const starting = world.start('up', { SENDOFF_FAILPOINT: `pull.${at}:kill:1` });
      const end = await starting.then(
        ({ child }) => until('it is dead', () => child.signalCode),
        (error: Error) => error.message,
      );
      expect(end).toMatch(/^SIGKILL$|ended with null before it was up/);
      const isStored = at === 'after_commit';
      expect((await place()) !== before).toBe(isStored);
      expect((await inbox()).length).toBe(rows + (isStored ? people.length : 0));

      // Whoever died still holds the task, until the lease is over.
      await world.database.pool.query('update source_task set lease_until = now()');
      await start();
      await gone(...people);
      await world.quiet();
      expect(removals()).toHaveLength(people.length);
      expect(await inbox()).toHaveLength(rows + people.length);
    },
    120_000,
  );

  it('a place that is lost removes nobody for want of news, and what happened lately is found', async () => {
    world = await createOktaWorld({ poll: '1h' });
    const people = staff(5);
    await start();
    await caughtUp();
    leave(...people.slice(0, 1));
    await world.database.pool.query(`update source_task set cursor = 'nonsense'`);
    await caughtUp();
    await gone(...people.slice(0, 1));
    await world.quiet();
    expect(world.running[0]?.output()).toContain('no longer knows where we were');
    expect(removals()).toHaveLength(1);
    for (const { email } of people.slice(1)) expect(world.account().has(email)).toBe(true);
  });

  it('links that Okta forgot while we were away: what happened meanwhile is found', async () => {
    world = await createOktaWorld({ poll: '1h' });
    const people = staff(5);
    const running = await start();
    await caughtUp();
    await running.stop();
    leave(...people.slice(0, 2));
    world.okta.log.expireLinks();
    await start();
    await caughtUp();
    await gone(...people.slice(0, 2));
    await world.quiet();
    expect(removals()).toHaveLength(2);
  });

  it('429 at one Okta’s log slows down nothing but that', async () => {
    second = await startOktaEmulator();
    const more = `  other: { type: okta, orgUrl: "${second.url}", token: okta-emulator-token, hookSecret: ${hookSecret}-2, poll: 1s }\n`;
    world = await createOktaWorld({ poll: '1s', more, authority: '[okta, other]' });
    const [pushed, polled] = [world.hire('pushed'), { id: '00u-polled', email: 'polled@acme.com' }];
    second.addUser(polled);
    world.account().addTeammate({ email: polled.email });
    world.okta.throttled.set('/api/v1/logs', Math.ceil(Date.now() / 1_000) + 100);
    await start();
    const throttled = await until('it waits', async () => {
      const row = await taskRow(world, 'okta', 'system-log');
      return (row?.failures ?? 0) > 0 ? row : null;
    });
    expect(throttled.last_error).toContain('429');
    expect(throttled.waits).toBeGreaterThan(60);

    second.setStatus(polled.id, 'DEPROVISIONED');
    leave(pushed);
    const events = world.okta.unpushed.slice(-1);
    expect(await world.okta.deliver(`${world.url}/hooks/okta`, hookSecret, events)).toBe(204);
    await gone(pushed, polled);
    expect(world.okta.requests.filter(({ path }) => path === '/api/v1/logs')).toHaveLength(1);
  });
});
