import { expect } from 'vitest';
import { lcg } from '#test/support/random.js';
import type { World } from '#test/support/world.js';
import { check } from './checker.js';
import { addresses, isLong, leavers, postUntilTaken, takeoverMs } from './faults.js';

export interface KillLoop {
  people: number;
  /** 200 of 20 in a long run. */
  kills: number;
  /** Kills something and starts it again. */
  disturb(next: () => number): Promise<void>;
}

/**
 * Posts one termination for each person, as Okta would (again after anything but a 2xx), while processes are killed at
 * random. The seed is printed; SEED= repeats it.
 */
export async function killUnderLoad(world: World, { people, kills, disturb }: KillLoop): Promise<void> {
  const seed = Number(process.env['SEED'] ?? Date.now() % 100_000);
  console.log(`SEED=${seed}`);
  const next = lcg(seed);
  const factor = isLong ? 10 : 1;
  const gone = leavers(world, people * factor);
  const stayers = Array.from({ length: 10 }, (_, i) => world.hire(`stayer${i}`));

  const acknowledged: string[] = [];
  let posted = false;
  const posting = (async () => {
    for (const person of gone) acknowledged.push(await postUntilTaken(world, person));
  })().finally(() => {
    posted = true;
  });
  posting.catch(() => undefined);
  for (let i = 0; i < kills * factor; i += 1) {
    // Spread over the posting, however fast this machine is: the last kills come when everything is posted.
    await new Promise((resolve) => setTimeout(resolve, 50 + next() * (posted ? 100 : 600)));
    await disturb(next);
  }
  await posting;
  await world.quiet(takeoverMs);

  expect(acknowledged).toHaveLength(gone.length);
  await check(world, { leavers: addresses(gone), acknowledged });
  expect(world.sendgrid.applied()).toHaveLength(gone.length);
  for (const { email } of stayers) expect(world.account().has(email)).toBe(true);
}
