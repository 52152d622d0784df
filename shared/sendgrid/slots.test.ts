import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { SendGridLimited } from './errors.js';
import { createSlots } from './slots.js';

describe('slots', () => {
  it('serve in the order of arrival and turn away who would wait too long, with nothing run', async () => {
    const inSlot = createSlots(1, 50);
    const ran: string[] = [];
    const run = (name: string, ms: number) =>
      inSlot(name, async () => {
        ran.push(name);
        await sleep(ms);
      });
    const results = await Promise.allSettled([run('a', 20), run('b', 200), run('c', 0)]);
    expect(ran).toEqual(['a', 'b']);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
    expect((results[2] as PromiseRejectedResult).reason).toBeInstanceOf(SendGridLimited);
    await run('d', 0);
    expect(ran).toEqual(['a', 'b', 'd']);
  });
});
