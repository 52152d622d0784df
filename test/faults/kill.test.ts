import { expect, it } from 'vitest';
import { verifiedTrail, writes } from '#test/support/flow.js';
import { type SendoffProcess, until } from '#test/support/sendoff.js';
import { check } from './checker.js';
import { addresses, fate, freeze, inWorld, leavers, postUntilTaken, takeoverMs } from './faults.js';
import { killUnderLoad } from './kill-loop.js';

it.concurrent('SIGKILL and SIGSTOP of web and workers at random under load: nothing acknowledged is lost, nothing is done twice', () => {
  const roles = ['web', 'worker', 'worker'] as const;
  return inWorld({ roles: [...roles] }, async (world) => {
    const processes: SendoffProcess[] = [...world.running];
    await killUnderLoad(world, {
      people: 40,
      kills: 20,
      async disturb(next) {
        const frozen = processes[Math.floor(next() * roles.length)];
        if (next() < 0.3 && frozen !== undefined) await freeze(frozen, 100 + next() * 900);
        const victim = Math.floor(next() * roles.length);
        await processes[victim]?.kill();
        processes[victim] = await world.start(roles[victim]);
      },
    });
  });
});

it.concurrent('SIGKILL of a worker whose deletion was carried out but never answered: read back, not repeated', () =>
  inWorld({ roles: ['web', 'worker'] }, async (world) => {
    world.sendgrid.faults.inject({ method: 'DELETE', times: 1, fault: { kind: 'apply-then-hang' } });
    const people = leavers(world, 1);
    for (const person of people) await postUntilTaken(world, person);
    await until('the deletion is applied', () => world.sendgrid.applied().length > 0);
    await world.running[1]?.kill();
    await world.start('worker');
    await world.quiet(takeoverMs);

    await check(world, { leavers: addresses(people) });
    const { items } = await world.json<{ items: { state: string }[] }>('actions', 'list');
    expect(items.map((action) => action.state)).toEqual(['done']);
  }));

it.concurrent('SIGKILL of the worker after each step of a readdressing: made once, retired once, in this order', () =>
  inWorld({ roles: ['web'] }, async (world) => {
    const jane = world.hire('jane');
    const now = 'jane.doe@acme.com';
    const changed = (email: string) => world.event('user.account.update_profile', { id: jane.id, email });
    const first = await world.start('worker');
    await world.reconciled();
    expect(await world.post(changed(jane.email))).toBe(204);
    await world.quiet();
    await first.stop();

    const user = world.okta.users.get(jane.id);
    Object.assign(user?.profile ?? {}, { email: now, login: now });
    expect(await world.post(changed(now))).toBe(204);
    for (const sent of [1, 2]) {
      const victim = await world.start('worker', { SENDOFF_FAILPOINT: 'action.after_act:kill' });
      expect(await fate(victim)).toBe('SIGKILL');
      expect(world.sendgrid.applied()).toHaveLength(sent);
      expect(world.account().has(now)).toBe(true);
    }
    await world.start('worker');
    await world.quiet(takeoverMs);

    expect(writes(world.sendgrid.journal)).toEqual([
      'marketing POST /v3/sso/teammates',
      'marketing DELETE /v3/teammates/jane@acme.com',
    ]);
    const ends = (await verifiedTrail(world)).filter(({ kind }) => kind === 'action.applied');
    expect(ends.map(({ action }) => action?.kind)).toEqual(['provision', 'retire']);
  }));
