import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';

// `npm run test:faults -- --long kill.test.ts`: --long makes 200 kills of 20; the rest is for vitest.
// SEED=<number> repeats a run; without it one is chosen, and printed.

const rest = process.argv.slice(2).filter((argument) => argument !== '--long');
const isLong = rest.length < process.argv.length - 2;
const seed = process.env['SEED'] ?? String(Date.now() % 100_000);
console.log(`SEED=${seed}${isLong ? ' --long' : ''}`);

const { status } = spawnSync(
  process.execPath,
  [
    resolve('node_modules/vitest/vitest.mjs'),
    'run',
    '--config',
    'test/faults/vitest.config.ts',
    // A run of the emulators and of Sendoff itself says little; 200 kills take their time.
    ...(isLong ? ['--test-timeout=1800000'] : []),
    ...rest,
  ],
  { stdio: 'inherit', env: { ...process.env, SEED: seed, ...(isLong ? { FAULTS_LONG: '1' } : {}) } },
);
process.exit(status ?? 1);
