import { defineConfig } from 'vitest/config';

const resolve = { conditions: ['sendoff-source'] };

// Twilio's published contracts lie beside the project (or where SENDOFF_CONTRACTS says); without them it is skipped.
export default defineConfig({
  resolve,
  ssr: { resolve },
  environments: { __vitest__: { resolve } },
  test: { include: ['test/contract/**/*.test.ts'], testTimeout: 60_000, hookTimeout: 180_000 },
});
