import { defineConfig } from 'vitest/config';

const resolve = { conditions: ['sendoff-source'] };

// Needs redis-server on the PATH; `.ci/run` installs it.
export default defineConfig({
  resolve,
  ssr: { resolve },
  environments: { __vitest__: { resolve } },
  test: {
    globalSetup: ['./test/support/global-setup.ts'],
    include: ['test/redis/**/*.test.ts'],
    testTimeout: 200_000,
    hookTimeout: 180_000,
  },
});
