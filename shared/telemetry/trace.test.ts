import { SpanStatusCode, trace } from '@opentelemetry/api';
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import { afterAll, describe, expect, it } from 'vitest';
import { SendoffError, WaitError } from '#shared/errors.js';
import { currentTraceparent, inSpan, parseTraceparent } from './trace.js';

describe('while traces are off', () => {
  it('a step is just the work, and rows name no trace', async () => {
    expect(await inSpan('step', {}, async () => currentTraceparent())).toBeNull();
    await expect(inSpan('step', {}, () => Promise.reject(new Error('as it was')))).rejects.toThrow('as it was');
  });
});

describe('while traces are on', () => {
  const exporter = new InMemorySpanExporter();
  const start = (): void =>
    new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).register({ propagator: null });
  afterAll(() => trace.disable());

  it('steps outside of a trace begin none: upkeep and reconciliations make thousands of requests', async () => {
    start();
    await inSpan('step', {}, async (note) => note({ 'sendoff.account': 'marketing' }));
    expect(exporter.getFinishedSpans()).toEqual([]);
  });

  it('steps are inside one another, tell codes of errors, and waiting is no error', async () => {
    const failure = { code: 'SENDGRID_REFUSED', blame: 'remote' } as const;
    const told = await trace.getTracer('test').startActiveSpan('hook', async (hook) => {
      await inSpan('outer', { 'sendoff.account': 'a' }, async (note) => {
        note({ 'sendoff.verdict': 'leaver' });
        await inSpan('inner', {}, () => Promise.reject(new SendoffError('jane@acme.com', failure))).catch(() => null);
        await inSpan('waiting', {}, () => Promise.reject(new WaitError('later', 20, failure))).catch(() => null);
      });
      hook.end();
      return currentTraceparent();
    });
    const spans = Object.fromEntries(exporter.getFinishedSpans().map((span) => [span.name, span]));
    expect(spans.outer?.attributes).toEqual({ 'sendoff.account': 'a', 'sendoff.verdict': 'leaver' });
    expect(spans.inner?.parentSpanContext?.spanId).toBe(spans.outer?.spanContext().spanId);
    expect(spans.inner).toMatchObject({
      attributes: { 'error.type': 'SENDGRID_REFUSED' },
      status: { code: SpanStatusCode.ERROR },
    });
    expect(spans.inner?.status.message).toBeUndefined();
    expect(spans.waiting).toMatchObject({
      attributes: { 'sendoff.waits_ms': 20 },
      status: { code: SpanStatusCode.UNSET },
    });
    expect(parseTraceparent(told ?? '')).toMatchObject({ traceId: spans.hook?.spanContext().traceId, traceFlags: 1 });
  });
});

it.each([
  '',
  '00-short-b7ad6b7169203331-01',
  `00-${'0'.repeat(32)}-b7ad6b7169203331-01`,
  `01-${'a'.repeat(32)}-b7ad6b7169203331-01`,
])('%s is no traceparent', (text) => {
  expect(parseTraceparent(text)).toBeNull();
});
