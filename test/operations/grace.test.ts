import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '#test/support/sendoff.js';
import { createWorld, type World } from '#test/support/world.js';

interface AuditLine {
  seq: number;
  kind: string;
  person: { email: string } | null;
  action: { kind: string } | null;
}

const audit = async (world: World, email: string): Promise<string[]> =>
  (await world.workplace.run(['audit', 'export'])).stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as AuditLine)
    .filter((line) => line.person?.email === email)
    .map(({ kind, action }) => (action === null ? kind : `${kind} ${action.kind}`));
const planStates = async (world: World, email: string): Promise<string[]> =>
  (
    await world.database.pool.query(
      `select plan.state from plan join person on person.id = plan.person_id where $1 = any(person.emails) order by plan.seq`,
      [email],
    )
  ).rows.map(({ state }) => state);
const effectsOn = (world: World, email: string) =>
  world.sendgrid.applied().filter((entry) => decodeURIComponent(entry.path).endsWith(`/${email}`));
const leave = async (world: World, person: { id: string; email: string }) => {
  world.okta.setStatus(person.id, 'DEPROVISIONED');
  expect(await world.post(world.event('user.lifecycle.deactivate', person))).toBe(204);
};

describe('offboarding.grace', () => {
  let world: World;
  const graceMs = 6_000;
  beforeAll(async () => {
    world = await createWorld({ config: 'offboarding: { grace: 6s, recheck: 0s }\n' });
  });
  afterAll(() => world.end());

  const isRestricted = (email: string) => world.account().teammate(email)?.scopes.join() === 'user.profile.read';

  it('restricts first and deletes after; settled is shown and audited only then', async () => {
    const jane = world.hire('jane');
    await leave(world, jane);
    await until('jane is restricted', () => isRestricted(jane.email));
    await until('jane is gone', async () => {
      const states = await planStates(world, jane.email);
      const there = world.account().has(jane.email);
      if (there) expect(states).not.toContain('settled');
      return !there;
    });
    await world.quiet();

    const [first, second, ...rest] = effectsOn(world, jane.email);
    expect([first?.method, second?.method, rest]).toEqual(['PATCH', 'DELETE', []]);
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThan(graceMs - 3_000);
    expect((await planStates(world, jane.email)).at(-1)).toBe('settled');
    const kinds = await audit(world, jane.email);
    expect(kinds.filter((kind) => kind === 'person.settled')).toHaveLength(1);
    expect(kinds.indexOf('person.settled')).toBeGreaterThan(kinds.indexOf('action.applied deprovision'));
    expect(kinds.indexOf('action.applied deprovision')).toBeGreaterThan(kinds.indexOf('action.applied restrict'));
  });

  it('a rehire in between gives back what was taken and cancels the deletion; leaving again begins anew', async () => {
    const kim = world.hire('kim');
    await leave(world, kim);
    await until('kim is restricted', () => isRestricted(kim.email));
    world.okta.setStatus(kim.id, 'ACTIVE');
    await world.post(world.event('user.lifecycle.activate', kim));
    // Nothing is due any more: no deletion is on its way.
    await world.quiet();
    expect(world.account().teammate(kim.email)?.scopes).toEqual(
      expect.arrayContaining(['mail.send', 'templates.read']),
    );

    const left = Date.now();
    await leave(world, kim);
    await until('kim is gone', () => !world.account().has(kim.email));
    await world.quiet();
    const deletion = effectsOn(world, kim.email).filter((entry) => entry.method === 'DELETE');
    expect(deletion).toHaveLength(1);
    expect((deletion[0]?.at ?? 0) - left).toBeGreaterThan(graceMs - 3_000);
  });

  it('outlasts a restart', async () => {
    const leo = world.hire('leo');
    await leave(world, leo);
    await until('leo is restricted', () => isRestricted(leo.email));
    await world.running[0]?.kill();
    expect(world.account().has(leo.email)).toBe(true);
    await world.start();
    await until('leo is gone', () => !world.account().has(leo.email), 90_000);
  }, 240_000);
});

describe('an order for later', () => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld();
  });
  afterAll(() => world.end());

  const orderFor = async (email: string, inMs: number): Promise<{ at: number; eventId: string }> => {
    const at = new Date(Date.now() + inMs);
    const { eventId } = await world.json<{ eventId: string }>('offboard', email, '--at', at.toISOString());
    return { at: at.getTime(), eventId };
  };

  it('does not stand before its time, and then does', async () => {
    const mia = world.hire('mia');
    const { at, eventId } = await orderFor(mia.email, 8_000);
    expect((await world.json<{ state: string }>('events', 'show', eventId)).state).toBe('waiting');
    await world.post(world.event('user.account.update_profile', mia));
    await until('the other event is planned', async () => (await planStates(world, mia.email)).includes('settled'));
    expect(effectsOn(world, mia.email)).toEqual([]);

    await until('mia is gone', () => !world.account().has(mia.email));
    await world.quiet();
    expect(effectsOn(world, mia.email)[0]?.at).toBeGreaterThanOrEqual(at);
  });

  it('can be cancelled until then', async () => {
    const nia = world.hire('nia');
    await orderFor(nia.email, 20_000);
    expect((await world.workplace.run(['offboard', nia.email, '--cancel'])).code).toBe(0);
    // Both events are through: that of the order at its time.
    await world.quiet();
    expect(world.account().has(nia.email)).toBe(true);
    const again = await world.workplace.run(['offboard', nia.email, '--cancel']);
    expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining('no order stands') });
  });

  it('needs a moment with its zone, and does not go with --wait', async () => {
    for (const more of [
      ['--at', '2030-12-31'],
      ['--at', '2030-12-31T17:00:00'],
      ['--at', '2030-12-31T17:00:00Z', '--wait'],
    ]) {
      expect((await world.workplace.run(['offboard', 'mia@acme.com', ...more])).code).toBe(2);
    }
  });
});

describe('offboarding.recheck', () => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld({ config: 'offboarding: { recheck: 3s }\n' });
  });
  afterAll(() => world.end());

  it('removes again whom SendGrid let in again, and says that the identity provider still does', async () => {
    const jane = world.hire('jane');
    await leave(world, jane);
    await until('jane is settled', async () => (await planStates(world, jane.email)).includes('settled'));
    world.account().jitSignIn(jane.email);
    expect(world.account().has(jane.email)).toBe(true);

    await until('jane is gone again', () => effectsOn(world, jane.email).length === 2);
    await until('it is settled again', async () => (await planStates(world, jane.email)).at(-1) === 'settled');
    expect(world.account().has(jane.email)).toBe(false);
    const kinds = await audit(world, jane.email);
    expect(kinds.filter((kind) => /^person|applied/.test(kind))).toEqual([
      'action.applied deprovision',
      'person.settled',
      'person.returned',
      'action.applied deprovision',
      'person.settled',
    ]);
    expect(world.running[0]?.output()).toContain('still lets them in');
  });

  it('once nobody came back it looks no more', async () => {
    const kim = world.hire('kim');
    await leave(world, kim);
    await until('kim is settled', async () => (await planStates(world, kim.email)).includes('settled'));
    await until('the second look is through', async () => {
      const { rows } = await world.database.pool.query('select 1 from plan where due_at is not null');
      return rows.length === 0;
    });
    expect(await planStates(world, kim.email)).toEqual(['settled']);
    expect(await audit(world, kim.email)).not.toContain('person.returned');
  });
});
