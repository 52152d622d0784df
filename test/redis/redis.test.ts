import { describe, expect, it } from 'vitest';
import { createWorld, type World } from '#test/support/world.js';
import { createRedis } from './redis.js';

// What Redis may do to us: test/faults/redis.test.ts.

describe('web and worker on PostgreSQL and Redis', () => {
  it('remove a leaver, read back', async () => {
    const redis = await createRedis();
    let world: World | null = null;
    try {
      await redis.start();
      world = await createWorld({ roles: ['web', 'worker'], env: { REDIS_URL: redis.url } });
      const jane = world.hire('jane');
      world.okta.setStatus(jane.id, 'DEPROVISIONED');
      expect(await world.post(world.event('user.lifecycle.deactivate', jane))).toBe(204);
      await world.quiet();
      expect(world.account().has(jane.email)).toBe(false);
    } finally {
      await world?.end();
      await redis.end();
    }
  });
});
