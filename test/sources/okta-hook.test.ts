import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { until } from '#test/support/sendoff.js';
import { hookSecret, type World } from '#test/support/world.js';
import { createOktaWorld, dueNow } from './okta-world.js';

// The event hook that Sendoff makes for itself, against the real receiver.

interface Listed {
  sources: { problem: string | null; lastEventAt: string | null; subscriptions: { state: string; detail: string }[] }[];
}

describe('okta’s event hook', () => {
  let world: World;
  afterEach(() => world.end());

  const open = async (poll = 'off') => {
    world = await createOktaWorld({ poll });
    await world.start('up');
    await world.reconciled();
  };
  const subscriptions = async (what: 'list' | 'ensure' | 'remove') => {
    const { code, stdout, stderr } = await world.workplace.run(['subscriptions', what, '--json']);
    if (stdout === '') throw new Error(stderr);
    const [source] = (JSON.parse(stdout) as Listed).sources;
    return { code, problem: source?.problem, lastEventAt: source?.lastEventAt, hook: source?.subscriptions[0] };
  };
  const theHook = () => {
    const [hook] = world.okta.eventHooks.hooks.values();
    if (hook === undefined) throw new Error('there is no hook');
    return hook;
  };
  const works = () => {
    const [hook] = world.okta.eventHooks.hooks.values();
    return hook?.status === 'ACTIVE' && hook.verificationStatus === 'VERIFIED';
  };
  /** Somebody leaves, and is pushed to whoever is subscribed. */
  const leaves = async (name: string) => {
    const person = world.hire(name);
    world.okta.setStatus(person.id, 'DEPROVISIONED');
    await world.okta.pushAll();
    return person;
  };
  const isGone = (person: { email: string }) => until('it is gone', () => !world.account().has(person.email));

  it('is made and verified on request, and brings the leaver', async () => {
    await open();
    expect(await subscriptions('list')).toMatchObject({ code: 1, hook: { state: 'missing' } });
    expect(await subscriptions('ensure')).toMatchObject({ code: 0, problem: null, hook: { state: 'active' } });
    expect(works()).toBe(true);
    await isGone(await leaves('jane'));
    const listed = await subscriptions('list');
    expect(listed).toMatchObject({ code: 0, hook: { state: 'active' } });
    expect(listed.lastEventAt).not.toBeNull();
    await subscriptions('remove');
    expect(world.okta.eventHooks.hooks.size).toBe(0);
  });

  it.each<[string, () => void]>([
    ['switched off', () => world.okta.eventHooks.edit(theHook().id, { status: 'INACTIVE' })],
    ['removed', () => world.okta.eventHooks.hooks.clear()],
    [
      'given another secret, which leaves it unverified',
      () => world.okta.eventHooks.edit(theHook().id, { secret: 'x' }),
    ],
  ])('is put right by the worker when it was %s at Okta', async (_, harm) => {
    await open();
    await subscriptions('ensure');
    harm();
    expect(works()).toBe(false);
    const unheard = await leaves('unheard');
    await dueNow(world, 'subscriptions');
    await until('the hook works again', works);
    await isGone(await leaves('jane'));
    // It was not told of; catch-up would have found it.
    expect(world.account().has(unheard.email)).toBe(true);
  });

  it('is looked at as soon as the log tells of a delivery that failed, and has our secret again', async () => {
    await open('1s');
    await subscriptions('ensure');
    // Somebody gave it another and verified it: Okta shows nothing of that, and is answered 401 from now on.
    world.okta.eventHooks.edit(theHook().id, { secret: 'x' });
    theHook().verificationStatus = 'VERIFIED';
    await isGone(await leaves('jane'));
    await until('it has our secret', () => theHook().channel.config.authScheme.value === hookSecret && works());
    expect(world.running[0]?.output()).toContain('could not deliver to this place');
  }, 240_000);

  it('gets the first of two secrets while rotating; what it sends with the other is taken until then', async () => {
    await open();
    await subscriptions('ensure');
    await world.running[0]?.stop();
    world.workplace.env['OKTA_NEXT_SECRET'] = 'next-secret-0123456789abcdef';
    await rewriteSecret(world, `[\${OKTA_NEXT_SECRET}, \${OKTA_HOOK_SECRET}]`);
    await world.start('up');
    await isGone(await leaves('before'));
    expect(theHook().channel.config.authScheme.value).toBe(hookSecret);
    await dueNow(world, 'subscriptions');
    await until(
      'the hook has the new one',
      () => theHook().channel.config.authScheme.value.startsWith('next') && works(),
    );
    await isGone(await leaves('after'));
  });
});

/** As an operator does it, in sendoff.yaml. */
async function rewriteSecret({ workplace }: World, secret: string): Promise<void> {
  const file = join(workplace.dir, 'sendoff.yaml');
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replace(`hookSecret: \${OKTA_HOOK_SECRET}`, `hookSecret: ${secret}`));
}
