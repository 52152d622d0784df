import { ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api';
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { traceJobs } from './job-traces.js';

const exporter = new InMemorySpanExporter();
beforeAll(() =>
  new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).register({ propagator: null }),
);
beforeEach(() => exporter.reset());
afterAll(() => trace.disable());

const traceId = '0af7651916cd43dd8448eb211c80319c';
const spanId = 'b7ad6b7169203331';
const rowOf = (ageMs: number) =>
  JSON.stringify({ traceparent: `00-${traceId}-${spanId}-01`, since: Date.now() - ageMs });

/** The span of a job whose row told this. */
function processed(metadata?: string, kind: SpanKind = SpanKind.CONSUMER) {
  const { tracer, contextManager } = traceJobs();
  const parent = metadata === undefined ? undefined : contextManager.fromMetadata(ROOT_CONTEXT, metadata);
  tracer.startSpan('process actions', { kind }, parent).end();
  return exporter.getFinishedSpans()[0];
}

describe('a job', () => {
  it('goes on with the trace of its row', () => {
    const span = processed(rowOf(60_000));
    expect(span?.spanContext().traceId).toBe(traceId);
    expect(span?.parentSpanContext?.spanId).toBe(spanId);
  });

  it('begins a new trace that names the old one, when that began long ago', () => {
    const span = processed(rowOf(3 * 3_600_000));
    expect(span?.spanContext().traceId).not.toBe(traceId);
    expect(span?.parentSpanContext).toBeUndefined();
    expect(span?.links.map(({ context }) => context.traceId)).toEqual([traceId]);
  });

  it.each([undefined, 'no JSON', '{}', '{"traceparent":"x","since":1}'])('begins a trace with %s', (metadata) => {
    const span = processed(metadata);
    expect(span?.spanContext().traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(span?.links).toEqual([]);
  });

  it('is all that BullMQ tells of: polling for jobs and their locks are no spans', () => {
    expect(processed(rowOf(0), SpanKind.INTERNAL)).toBeUndefined();
  });
});
