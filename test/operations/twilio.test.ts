import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startTwilioEmulator, type TwilioEmulator } from '#test/emulators/twilio/index.js';
import { until } from '#test/support/sendoff.js';
import { createWorld, type World } from '#test/support/world.js';

interface PlanItem {
  id: string;
  state: string;
  person: { email: string };
  actions: { kind: string; footprint: string; account: string; target: string; state: string }[];
  hold: { reasons: string[] } | null;
  notRead: { account: string }[];
}

const targets = ({ clientId, clientSecret, baseUrl, tokenUrl }: TwilioEmulator, mode: string) =>
  `targets: { twilio: { clientId: "${clientId}", clientSecret: "${clientSecret}", baseUrl: "${baseUrl}", tokenUrl: "${tokenUrl}", mode: ${mode} } }\n`;
const leave = async (world: World, person: { id: string; email: string }) => {
  world.okta.setStatus(person.id, 'DEPROVISIONED');
  expect(await world.post(world.event('user.lifecycle.deactivate', person))).toBe(204);
};
const newestPlan = async (world: World, email: string): Promise<PlanItem> => {
  const { items } = await world.json<{ items: PlanItem[] }>('plans', 'list', '--all');
  const plan = items.find((one) => one.person.email === email);
  if (plan === undefined) throw new Error(`no plan of ${email}`);
  return plan;
};

describe('targets.twilio', () => {
  let twilio: TwilioEmulator;
  let world: World;
  beforeAll(async () => {
    twilio = await startTwilioEmulator();
    world = await createWorld({ config: targets(twilio, 'enforce') });
  });
  afterAll(async () => {
    await world.end();
    await twilio.close();
  });
  afterEach(() => twilio.faults.clear());
  const hire = (name: string) => {
    const person = world.hire(name);
    return { ...person, user: twilio.addUser({ userName: `${name}@ACME.com` }) };
  };

  it('the leaver’s Twilio user is deactivated once, nobody else’s, through plan, gate and audit', async () => {
    const jane = hire('jane');
    const kim = hire('kim');
    await leave(world, jane);
    await world.quiet();

    expect([jane.user.active, kim.user.active]).toEqual([false, true]);
    expect(world.account().has(jane.email)).toBe(false);
    expect(twilio.applied()).toMatchObject([{ method: 'PATCH', path: `/scim/v2/Users/${jane.user.id}` }]);
    const plan = await newestPlan(world, jane.email);
    expect(plan.state).toBe('settled');
    expect(plan.actions).toContainEqual(
      expect.objectContaining({
        kind: 'deactivate',
        footprint: 'twilio-user',
        account: 'targets.twilio',
        target: jane.user.id,
        state: 'done',
      }),
    );
    const lines = (await world.workplace.run(['audit', 'export'])).stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { kind: string; account: string | null; before: unknown; after: unknown });
    const about = lines.filter(({ account }) => account === 'targets.twilio');
    expect(about.map(({ kind }) => kind)).toEqual(['action.attempted', 'action.applied']);
    // Which fields changed, and not what they held: a record holds no names.
    expect(about[1]).toMatchObject({ before: { fields: ['active'] }, after: { fields: ['active'] } });
  });

  it('a repeated event deactivates nobody again; somebody without a Twilio user is simply removed', async () => {
    const before = twilio.applied().length;
    const jane = { id: '00u-jane', email: 'jane@acme.com' };
    await world.post(world.event('user.lifecycle.deactivate', jane));
    const leo = world.hire('leo');
    await leave(world, leo);
    await world.quiet();
    expect(twilio.applied()).toHaveLength(before);
    expect((await newestPlan(world, leo.email)).state).toBe('settled');
  });

  it('is not touched by an event that the directory does not bear out, nor by a suspension', async () => {
    const mia = hire('mia');
    await world.post(world.event('user.lifecycle.deactivate', mia));
    await world.quiet();
    world.okta.setStatus(mia.id, 'SUSPENDED');
    await world.post(world.event('user.lifecycle.suspend', mia));
    await world.quiet();
    expect(mia.user.active).toBe(true);
  });

  it('a stop holds it back like any other effect', async () => {
    const nia = hire('nia');
    await world.workplace.run(['stop']);
    await leave(world, nia);
    await until('the deactivation waits', async () => {
      const { rows } = await world.database.pool.query(
        `select 1 from action where kind = 'deactivate' and state = 'ready' and last_error like '%stopped effects%'`,
      );
      return rows.length > 0;
    });
    expect(nia.user.active).toBe(true);
    await world.workplace.run(['resume']);
    await world.quiet();
    expect(nia.user.active).toBe(false);
  });

  it.each(['status', 'hang'] as const)(
    'Twilio is down (%s): the removal from SendGrid is not delayed; the plan waits, and finishes once it is back',
    async (kind) => {
      const oda = hire(`oda-${kind}`);
      twilio.faults.inject({ path: /Users/, fault: kind === 'status' ? { kind, status: 503 } : { kind } });
      const began = Date.now();
      await leave(world, oda);
      await until('oda is out of SendGrid', () => !world.account().has(oda.email));
      // A request to Twilio that hangs ends after ten seconds.
      expect(Date.now() - began).toBeLessThan(8_000);
      expect(oda.user.active).toBe(true);
      await until('the plan waits for Twilio', async () => {
        const { state, notRead } = await newestPlan(world, oda.email);
        return state === 'waiting' && notRead.some(({ account }) => account === 'targets.twilio');
      });

      twilio.faults.clear();
      await until('oda’s Twilio user is deactivated', () => !oda.user.active, 60_000);
      await world.quiet();
      expect((await newestPlan(world, oda.email)).state).toBe('settled');
    },
    120_000,
  );

  it('a deactivation that was applied and never answered is not sent again', async () => {
    const pia = hire('pia');
    const fault = twilio.faults.inject({ method: 'PATCH', times: 1, fault: { kind: 'apply-then-hang' } });
    const before = twilio.applied().length;
    await leave(world, pia);
    await until('it was sent', () => fault.hits === 1);
    await world.quiet(90_000);
    expect(twilio.applied()).toHaveLength(before + 1);
    expect((await newestPlan(world, pia.email)).state).toBe('settled');
  }, 240_000);
});

describe('targets.twilio in mode approve', () => {
  let twilio: TwilioEmulator;
  let world: World;
  beforeAll(async () => {
    twilio = await startTwilioEmulator();
    world = await createWorld({ config: targets(twilio, 'approve') });
  });
  afterAll(async () => {
    await world.end();
    await twilio.close();
  });

  it('waits for an approval, while SendGrid does not', async () => {
    const jane = world.hire('jane');
    const user = twilio.addUser({ userName: jane.email });
    await leave(world, jane);
    await world.quiet();
    expect(world.account().has(jane.email)).toBe(false);
    expect(user.active).toBe(true);
    const plan = await newestPlan(world, jane.email);
    expect([plan.state, plan.hold?.reasons.join()]).toEqual([
      'held',
      expect.stringContaining('mode-approve: targets.twilio'),
    ]);
    expect((await world.workplace.run(['plans', 'approve', plan.id])).code).toBe(0);
    await world.quiet();
    expect(user.active).toBe(false);
  });
});

describe('without targets.twilio', () => {
  it('Twilio is never asked', async () => {
    const twilio = await startTwilioEmulator();
    const world = await createWorld();
    try {
      const jane = world.hire('jane');
      const user = twilio.addUser({ userName: jane.email });
      await leave(world, jane);
      await world.quiet();
      expect(world.account().has(jane.email)).toBe(false);
      expect([user.active, twilio.journal]).toEqual([true, []]);
    } finally {
      await world.end();
      await twilio.close();
    }
  });
});
