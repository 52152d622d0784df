import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Collector, type ReceivedSpan, startCollector } from '#test/emulators/otlp/index.js';
import { until } from '#test/support/sendoff.js';
import { adminToken, createWorld, hookSecret, type World } from '#test/support/world.js';

const collectorKey = 'collector-key-0123456789';

describe('traces', () => {
  let collector: Collector;
  let world: World;
  beforeAll(async () => {
    collector = await startCollector();
    world = await createWorld({
      roles: ['web', 'worker'],
      env: {
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
        OTEL_EXPORTER_OTLP_HEADERS: `authorization=Bearer ${collectorKey}`,
        OTEL_SERVICE_NAME: 'sendoff-of-acme',
        OTEL_BSP_SCHEDULE_DELAY: '100',
      },
    });
  }, 240_000);
  afterAll(async () => {
    await world.end();
    await collector.close();
  });

  /** Somebody leaves. @returns the trace of the hook that said so, once it is whole */
  const leave = async (name: string, meanwhile?: () => Promise<void>): Promise<ReceivedSpan[]> => {
    const before = collector.spans.length;
    const person = world.hire(name);
    world.okta.setStatus(person.id, 'DEPROVISIONED');
    expect(await world.post(world.event('user.lifecycle.deactivate', person))).toBe(204);
    await meanwhile?.();
    await world.quiet();
    expect(world.account().has(person.email)).toBe(false);
    const news = () => collector.spans.slice(before);
    await until('the settling and all that led to it is there', () => {
      const known = new Set(collector.spans.map((span) => span.spanId));
      const isWhole = collector.spans.every((span) => span.parentId === '' || known.has(span.parentId));
      return isWhole && news().some((span) => span.name === 'conclude');
    });
    return news();
  };

  it('show one hook as one trace from the request to the read-back', async () => {
    const spans = await leave('jane');
    expect([...new Set(spans.map((span) => span.traceId))]).toHaveLength(1);
    const byId = new Map(spans.map((span) => [span.spanId, span]));
    const pathOf = (span: ReceivedSpan | undefined): string[] =>
      span === undefined ? [] : [...pathOf(byId.get(span.parentId)), `${span.role}: ${span.name}`];
    const paths = spans.map((span) => pathOf(span).join(' > '));
    const planned = [
      'web: POST /hooks/:source',
      'web: store events',
      'worker: process lifecycle',
      'worker: plan-person',
    ].join(' > ');
    const acted = [planned, 'worker: gate', 'worker: process actions', 'worker: execute-action'].join(' > ');
    expect(paths).toEqual(
      expect.arrayContaining([
        'web: POST /hooks/:source',
        `${planned} > worker: read directory`,
        `${planned} > worker: read roster > worker: GET /v3/teammates`,
        `${acted} > worker: look > worker: GET /v3/teammates/{username}`,
        `${acted} > worker: act > worker: DELETE /v3/teammates/{username}`,
        `${acted} > worker: look again > worker: GET /v3/teammates/{username}`,
        `${planned} > worker: gate > worker: process lifecycle > worker: settle-person > worker: conclude`,
      ]),
    );
    const removal = spans.find((span) => span.name === 'DELETE /v3/teammates/{username}');
    expect(removal).toMatchObject({
      service: 'sendoff-of-acme',
      kind: 3,
      attributes: {
        'sendoff.account': 'marketing',
        'http.request.method': 'DELETE',
        'url.template': '/v3/teammates/{username}',
        'http.response.status_code': 204,
      },
    });
    expect(collector.headers[0]?.authorization).toBe(`Bearer ${collectorKey}`);
  });

  it('go on where they were when the queue is lost whole', async () => {
    const [, worker] = world.running;
    await worker?.stop();
    const { pool } = world.database;
    const onQueue = (round: string) => async () =>
      (await pool.query(`select 1 from bullmq.job where state = 'waiting' and id like 'plan-person-%-' || $1`, [round]))
        .rows.length > 0;
    const spans = await leave('kim', async () => {
      await until('the event is on the queue', onQueue('r1'));
      await pool.query('delete from bullmq.job');
      await pool.query('update inbox set due_at = now() where due_at is not null');
      await until('it is on the queue again', onQueue('r2'));
      await world.start('worker');
    });
    const hook = spans.find((span) => span.name === 'POST /hooks/:source');
    const inTrace = spans.filter((span) => span.traceId === hook?.traceId).map((span) => span.name);
    expect(inTrace).toEqual(
      expect.arrayContaining(['plan-person', 'DELETE /v3/teammates/{username}', 'look again', 'conclude']),
    );
  });

  it('begin with the hook, whatever its sender says of traces, and not at all for whoever is refused', async () => {
    const before = collector.spans.length;
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00';
    const refused = await fetch(`${world.url}/hooks/okta`, {
      method: 'POST',
      headers: { authorization: 'wrong', traceparent },
      body: '{}',
    });
    expect(refused.status).toBe(401);
    const accepted = await fetch(`${world.url}/hooks/okta`, {
      method: 'POST',
      headers: { authorization: hookSecret, traceparent, 'content-type': 'application/json' },
      body: JSON.stringify({ data: { events: [] } }),
    });
    expect(accepted.ok).toBe(true);
    await until('the hook is in a trace', () => collector.spans.length > before);
    const hooks = collector.spans.slice(before).filter((span) => span.kind === 2);
    expect(hooks.map((span) => span.attributes['http.response.status_code'])).toEqual([accepted.status]);
    expect(hooks[0]).toMatchObject({ parentId: '', links: [] });
  });

  it('hold no secret and nobody’s name or address', async () => {
    // A refusal and an outage bring messages with them.
    world.sendgrid.faults.inject({
      method: 'DELETE',
      times: 1,
      fault: { kind: 'status', status: 500, body: { errors: [{ message: 'lou@acme.com has SG.key-of-marketing' }] } },
    });
    await leave('lou');
    const failed = collector.spans.find((span) => span.attributes['http.response.status_code'] === 500);
    expect(failed?.name).toBe('DELETE /v3/teammates/{username}');
    const planted = ['SG.key-of-marketing', 'okta-emulator-token', hookSecret, adminToken, collectorKey];
    expect(planted.filter((secret) => collector.raw().includes(secret))).toEqual([]);
    const told = JSON.stringify(collector.spans).replaceAll('@fastify/otel', '');
    expect(['@', 'acme.com', 'jane', 'kim', 'lou'].filter((text) => told.includes(text))).toEqual([]);
    expect(collector.spans.every((span) => span.events === 0 && span.status.message === '')).toBe(true);
    expect(world.running.some((one) => one.output().includes(collectorKey))).toBe(false);
  });

  it('hold up neither the work nor the end while nobody takes them, and say so once', async () => {
    collector.behaviour = 'refuse';
    for (const name of ['max', 'mia']) {
      const person = world.hire(name);
      world.okta.setStatus(person.id, 'DEPROVISIONED');
      expect(await world.post(world.event('user.lifecycle.deactivate', person))).toBe(204);
      await world.quiet();
      expect(world.account().has(person.email)).toBe(false);
    }
    const alive = world.running.filter((one) => one.child.exitCode === null);
    expect(alive).toHaveLength(2);
    const complaints = () => alive.map((one) => one.output().split('can’t be delivered').length - 1);
    await until('both have said so', () => complaints().every((count) => count === 1));
    collector.behaviour = 'hang';
    expect(await Promise.all(alive.map((one) => one.stop()))).toEqual([0, 0]);
    expect(complaints()).toEqual([1, 1]);
  });
});

describe('without an endpoint for traces', () => {
  const noTelemetry = fileURLToPath(new URL('../support/no-telemetry.mjs', import.meta.url));
  let world: World;
  beforeAll(async () => {
    world = await createWorld({ roles: ['web', 'worker'], env: { NODE_OPTIONS: `--import=${noTelemetry}` } });
  }, 240_000);
  afterAll(() => world.end());

  it('nothing of OpenTelemetry is loaded, and rows name no trace', async () => {
    const ned = world.hire('ned');
    world.okta.setStatus(ned.id, 'DEPROVISIONED');
    await world.post(world.event('user.lifecycle.deactivate', ned));
    await world.quiet();
    expect(world.account().has(ned.email)).toBe(false);
    const { rows } = await world.database.pool.query(
      'select traceparent from inbox where traceparent is not null union select traceparent from plan where traceparent is not null',
    );
    expect(rows).toEqual([]);
    // With one, the same process can't even start: what is refused here is what it would load.
    const { code, stderr } = await world.workplace.run(['worker'], {
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1',
    });
    expect({ code, loads: /loads @opentelemetry/.test(stderr) }).toEqual({ code: 1, loads: true });
  });
});
