import { defineConfig } from 'vitest/config';

const resolve = { conditions: ['sendoff-source'] };

// Needs redis-server on the PATH; `.ci/run` installs it. Started by run.ts.
export default defineConfig({
  resolve,
  ssr: { resolve },
  environments: { __vitest__: { resolve } },
  test: {
    globalSetup: ['./test/faults/global-setup.ts'],
    include: ['test/faults/**/*.test.ts'],
    // Nearly all the time here is leases and locks that run out, so more waits at once than there are cores.
    maxWorkers: 3,
    maxConcurrency: 5,
    testTimeout: 600_000,
    hookTimeout: 180_000,
  },
});
