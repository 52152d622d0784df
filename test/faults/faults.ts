import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LogEventSeed, OktaUserSeed } from '#test/emulators/okta/index.js';
import { type SendoffProcess, until } from '#test/support/sendoff.js';
import { createWorld, hookSecret, type World, type WorldOptions } from '#test/support/world.js';

/** `npm run test:faults -- --long` */
export const isLong = process.env['FAULTS_LONG'] === '1';
/** Whoever is left with a dead process's job waits for a lease (45 s) and, on the queue, for a lock and two looks (60 s). */
export const takeoverMs = 150_000;

/** A world for one test, of which nothing is left afterwards, frozen processes included. */
export async function inWorld(options: WorldOptions, run: (world: World) => Promise<void>): Promise<void> {
  // An error that nobody caught must say where it came from.
  const env = { NODE_OPTIONS: '--stack-trace-limit=50', ...options.env };
  const world = await createWorld({ migrate: false, ...options, env });
  try {
    await run(world);
  } finally {
    await Promise.all(world.running.map((one) => one.kill()));
    await world.end();
  }
}

/** People of the account who have left; their events are still to be posted. */
export function leavers(world: World, count: number, name = 'leaver'): OktaUserSeed[] {
  return Array.from({ length: count }, (_, i) => {
    const person = world.hire(`${name}${i}`);
    world.okta.setStatus(person.id, 'DEPROVISIONED');
    return person;
  });
}

export function departure(world: World, person: OktaUserSeed): LogEventSeed & { uuid: string } {
  return { ...world.event('user.lifecycle.deactivate', person), uuid: `left-${person.id}` };
}

/** Posts an event until it is taken, as a sender with patience would; with less, catch-up finds it. @returns its id */
export async function postUntilTaken(world: World, person: OktaUserSeed, url = world.url): Promise<string> {
  const event = departure(world, person);
  await until(
    `the event of ${person.email} is taken`,
    async () => (await world.okta.deliver(`${url}/hooks/okta`, hookSecret, [event])) === 204,
    90_000,
  );
  return event.uuid;
}

/** Waits for the end of a process. @returns the signal that ended it, or its exit code */
export async function fate({ child }: SendoffProcess): Promise<NodeJS.Signals | number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return child.signalCode ?? child.exitCode;
}

/** Freezes a process for a while. */
export async function freeze({ child }: SendoffProcess, ms: number): Promise<void> {
  child.kill('SIGSTOP');
  await sleep(ms);
  child.kill('SIGCONT');
}

export const addresses = (people: OktaUserSeed[]): string[] => people.map(({ email }) => email);
