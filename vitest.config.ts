import { defineConfig } from 'vitest/config';

// '#shared/x.js' is resolved by package.json's "imports"; this condition points it at the TypeScript source,
// in tests (ssr) and in globalSetup (__vitest__).
const resolve = { conditions: ['sendoff-source'] };
const source = { resolve, ssr: { resolve }, environments: { __vitest__: { resolve } } };

// One real PostgreSQL for the whole run (test/support/database.ts). No file but the model's leaves anything behind in
// a module, so a worker loads its libraries once and not for every file.
const database = {
  isolate: false,
  globalSetup: ['./test/support/global-setup.ts'],
  setupFiles: ['./test/support/seed.ts'],
};

export default defineConfig({
  ...source,
  test: {
    // Most of a test here is waiting for processes, timers and leases, so more run at once than there are cores.
    maxWorkers: 4,
    projects: [
      {
        ...source,
        test: {
          ...database,
          name: 'unit',
          include: ['{cli,producers,shared,workers,bench}/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
      {
        ...source,
        test: {
          ...database,
          name: 'integration',
          include: ['test/**/*.test.ts'],
          exclude: [
            'test/redis/**',
            'test/faults/**',
            'test/contract/**',
            'test/operations/**',
            'test/sources/**',
            'test/console/**',
            'test/model/**',
          ],
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
      {
        ...source,
        test: {
          ...database,
          // It mocks the clock of the modules it runs.
          isolate: true,
          name: 'model',
          include: ['test/model/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
      {
        ...source,
        test: {
          ...database,
          // What operators order and schedule, end to end: `npm run test:operations`, for `npm test` stays short.
          name: 'operations',
          include: ['test/operations/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
      {
        ...source,
        test: {
          ...database,
          // The same story for every identity provider: `npm run test:sources`.
          name: 'sources',
          include: ['test/sources/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
      {
        ...source,
        test: {
          ...database,
          // The page itself, in a browser: `npm run test:console`.
          name: 'console',
          include: ['test/console/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
});
