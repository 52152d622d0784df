import { SendGridLimited } from './errors.js';
import { jittered } from './rate-limit.js';

/** Runs something once there is room for it. */
export type Slots = <T>(where: string, run: () => Promise<T>) => Promise<T>;

/**
 * At most `size` at once, first come, first served. A caller holds a lease meanwhile, so nobody waits here for long:
 * who is not served in time is turned away with nothing sent.
 */
export function createSlots(size: number, patienceMs = 5_000): Slots {
  const waiting = new Set<() => void>();
  let free = size;

  return async (where, run) => {
    await take(where);
    try {
      return await run();
    } finally {
      give();
    }
  };

  function take(where: string): Promise<void> {
    if (free > 0) {
      free -= 1;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const admit = () => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        waiting.delete(admit);
        const message = `${where} waits: this process has ${size} such requests under way`;
        reject(new SendGridLimited(message, jittered(1_000), { code: 'SENDGRID_LIMITED', blame: 'remote' }));
      }, patienceMs);
      waiting.add(admit);
    });
  }

  /** The place goes straight to whoever waits longest. */
  function give(): void {
    const [next] = waiting;
    if (next === undefined) {
      free += 1;
      return;
    }
    waiting.delete(next);
    next();
  }
}
