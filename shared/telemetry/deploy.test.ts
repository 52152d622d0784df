import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { migrateQueue, openPostgresBackend } from '#shared/queue/postgres.js';
import { openJobQueue } from '#shared/queue/queue.js';
import { createTestDatabase, type TestDatabase } from '#test/support/database.js';
import { createMetrics } from './metrics.js';

// What deploy/ asks Prometheus for has to exist, as the rules' and the dashboard's readers would find it.

let database: TestDatabase;
/** The labels of each metric of a scrape, and what it says of itself. */
const scraped = new Map<string, Set<string>>();
beforeAll(async () => {
  database = await createTestDatabase();
  await seed(database);
  await migrateQueue({ connectionString: database.url });
  const backend = openPostgresBackend({ connectionString: database.url }, () => undefined);
  const queue = openJobQueue(backend, () => undefined);
  const metrics = createMetrics(database.db, queue, ['marketing']);
  metrics.deliveries.inc({ source: 'okta', status: '204' });
  metrics.refused.inc({ source: 'okta' });
  const text = await metrics.read();
  await queue.close();
  await backend.close();
  for (const [, name = ''] of text.matchAll(/^# TYPE (\w+) /gm)) scraped.set(name, new Set());
  for (const [, name = '', labels = ''] of text.matchAll(/^(\w+)(?:\{(.*)\})? /gm)) {
    const metric = scraped.get(name) ?? scraped.get(name.replace(/_(bucket|sum|count)$/, ''));
    for (const [, label = ''] of labels.matchAll(/(\w+)="/g)) metric?.add(label);
  }
});
afterAll(() => database.drop());

/** A row of everything that a label comes from. */
async function seed({ pool }: TestDatabase): Promise<void> {
  await pool.query(`insert into account (name) values ('marketing')`);
  await pool.query(`insert into source_task (source, task, last_ok_at) values ('okta', 'poll', now())`);
  await pool.query(`insert into subscription (source, kind, expires_at) values ('okta', 'hook', now())`);
  const account = { account: 'marketing', complete: true, teammates: 1, drift: 1, measure: null };
  const summary = JSON.stringify({ unannounced: 0, problems: [], accounts: [account] });
  await pool.query(
    `insert into reconcile_run (mode, started_by, finished_at, people, summary) values ('cheap', 'x', now(), 1, $1)`,
    [summary],
  );
  await pool.query(`
    with somebody as (insert into person (directory) values ('okta') returning id),
      event as (insert into inbox (source, event_id, raw, state) values ('okta', '1', '', 'done') returning id),
      planned as (insert into plan (person_id, event_id, person_version, verdict, reasons, refused, holds, unread,
          state, evidence_at, settled_at)
        select somebody.id, event.id, 1, 'leaver', '[]', '[]', '[]', '[]', 'settled', now(), now()
        from somebody, event returning id, person_id)
    insert into action (plan_id, person_id, kind, footprint, account, target, draft, state, finished_at)
    select id, person_id, 'deprovision', 'teammate', 'marketing', state, '{}', state, now()
    from planned, unnest(array['done', 'failed']) as state`);
}

const read = (path: string) => readFileSync(new URL(`../../deploy/${path}`, import.meta.url), 'utf8');

const duration = z.string().regex(/^\d+(s|m|h|d)$/);
const rulesFile = z.strictObject({
  groups: z.array(
    z.strictObject({
      name: z.string(),
      interval: duration.optional(),
      rules: z.array(
        z.strictObject({
          alert: z.string().regex(/^Sendoff[A-Z]\w+$/),
          expr: z.string(),
          for: duration.optional(),
          labels: z.strictObject({ severity: z.enum(['page', 'ticket']) }),
          annotations: z.strictObject({ summary: z.string().min(1), description: z.string().min(1) }),
        }),
      ),
    }),
  ),
});
const dashboardFile = z.object({
  title: z.string(),
  panels: z.array(
    z.object({
      id: z.number(),
      title: z.string().min(1),
      type: z.enum(['timeseries', 'stat']),
      gridPos: z.strictObject({ h: z.number(), w: z.number(), x: z.number(), y: z.number() }),
      targets: z.array(z.object({ refId: z.string(), expr: z.string(), legendFormat: z.string() })).min(1),
    }),
  ),
});

const rules = () => rulesFile.parse(parse(read('prometheus-rules.yaml'))).groups.flatMap((group) => group.rules);
const panels = () => dashboardFile.parse(JSON.parse(read('grafana-dashboard.json'))).panels;
const expressions = () => [
  ...rules().map(({ alert, expr }) => ({ where: alert, expr })),
  ...panels().flatMap(({ title, targets }) => targets.map(({ expr }) => ({ where: title, expr }))),
];

/** Each metric an expression names, with the labels it is asked by. */
function asked(expr: string): { name: string; labels: string[] }[] {
  return [...expr.matchAll(/(sendoff_\w+?)(?:_bucket)?(?![\w])(?:\{([^}]*)\})?/g)].map(([, name = '', by = '']) => ({
    name,
    labels: [...by.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label = '']) => label),
  }));
}

function groupedBy(expr: string): string[] {
  return [...expr.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(/,\s*/));
}

describe('deploy/', () => {
  it('names only metrics and labels that /metrics has', () => {
    const all = expressions().flatMap(({ where, expr }) => asked(expr).map((one) => ({ where, expr, ...one })));
    expect(all.length).toBeGreaterThan(20);
    expect(all.filter(({ name }) => !scraped.has(name))).toEqual([]);
    expect(all.filter(({ name, labels }) => labels.some((label) => !scraped.get(name)?.has(label)))).toEqual([]);
    const groupedByNothing = expressions().filter(({ expr }) => {
      const known = new Set(asked(expr).flatMap(({ name }) => [...(scraped.get(name) ?? [])]));
      return groupedBy(expr).some((label) => !known.has(label));
    });
    expect(groupedByNothing).toEqual([]);
  });

  it('has every metric on the dashboard or in a rule', () => {
    const used = new Set(expressions().flatMap(({ expr }) => asked(expr).map(({ name }) => name)));
    expect([...scraped.keys()].filter((name) => !used.has(name))).toEqual([]);
  });

  it('has expressions whose brackets and quotes close', () => {
    for (const { where, expr } of expressions()) {
      const outside = expr.replace(/"[^"]*"/g, '');
      expect(outside.includes('"'), where).toBe(false);
      for (const pair of ['()', '{}', '[]']) {
        const [open = '', close = ''] = pair;
        expect(outside.split(open).length, `${where}: ${pair}`).toBe(outside.split(close).length);
      }
    }
  });

  it('tells in each alert what to do, of labels that the alert has', () => {
    expect(new Set(rules().map(({ alert }) => alert)).size).toBe(rules().length);
    for (const { alert, expr, annotations } of rules()) {
      const mentioned = [...JSON.stringify(annotations).matchAll(/\$labels\.(\w+)/g)].map(([, label = '']) => label);
      const isAggregated = /\b(sum|max|min|histogram_quantile)\b/.test(expr);
      const kept = isAggregated ? groupedBy(expr) : asked(expr).flatMap(({ name }) => [...(scraped.get(name) ?? [])]);
      expect(
        mentioned.filter((label) => !kept.includes(label)),
        alert,
      ).toEqual([]);
    }
  });

  it('has panels that do not lie on one another', () => {
    const places = panels().flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, i) => `${x + (i % w)},${y + Math.floor(i / w)}`),
    );
    expect(new Set(places).size).toBe(places.length);
    expect(new Set(panels().map(({ id }) => id)).size).toBe(panels().length);
  });
});
