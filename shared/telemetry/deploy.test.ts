import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { JobQueue } from '#shared/queue/queue.js';
import { createTestDatabase, type TestDatabase } from '#test/support/database.js';
import { createMetrics } from './metrics.js';

// What deploy/ asks Prometheus for has to exist.

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const read = (path: string) => readFileSync(new URL(`../../deploy/${path}`, import.meta.url), 'utf8');
const namesIn = (text: string) => new Set(text.match(/sendoff_[a-z_]+/g) ?? []);

it.each(['prometheus-rules.yaml', 'grafana-dashboard.json'])(
  '%s names only metrics that /metrics has',
  async (path) => {
    const queue = { queues: [] } as unknown as JobQueue;
    const exposed = namesIn(await createMetrics(database.db, queue).read());
    const asked = [...namesIn(read(path))];
    expect(asked.length).toBeGreaterThan(5);
    expect(asked.filter((name) => !exposed.has(name.replace(/_bucket$/, '')))).toEqual([]);
  },
);

it('every alert says what to do', () => {
  const { groups } = parse(read('prometheus-rules.yaml')) as {
    groups: { rules: { alert: string; annotations: { summary: string; description: string } }[] }[];
  };
  for (const { annotations } of groups.flatMap(({ rules }) => rules)) {
    expect(annotations.summary).not.toBe('');
    expect(annotations.description).not.toBe('');
  }
});
