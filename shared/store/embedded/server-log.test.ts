import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readSince, rotate, sizeOf } from './server-log.js';

let file: string;
beforeEach(async () => {
  file = join(await mkdtemp(join(tmpdir(), 'log-')), 'postgres.log');
});
afterEach(() => rm(join(file, '..'), { recursive: true, force: true }));

test('a full log is put aside, one predecessor is kept', async () => {
  for (const filler of ['older', 'newer']) {
    await writeFile(file, filler);
    await truncate(file, 6 * 1024 * 1024);
    await rotate(file);
  }
  expect(await sizeOf(file)).toBe(0);
  expect((await readSince(`${file}.1`, 0)).length).toBeLessThanOrEqual(4_000);
});

test('a short log stays', async () => {
  await writeFile(file, 'before\nafter\n');
  await rotate(file);
  expect(await readSince(file, 7)).toBe('after');
});
