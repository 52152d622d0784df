import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  type SpanExporter,
} from '@opentelemetry/sdk-trace-node';
import { describe, expect, it } from 'vitest';
import { createLog } from './log.js';
import { scrubber } from './redact.js';
import { notingOutages, onlyWhatMayLeave } from './span-export.js';

function tracing() {
  const exporter = new InMemorySpanExporter();
  const scrub = scrubber(['hook-secret-0123456789']);
  const provider = new BasicTracerProvider({
    spanProcessors: [onlyWhatMayLeave(new SimpleSpanProcessor(exporter), scrub)],
  });
  return { tracer: provider.getTracer('test'), left: () => exporter.getFinishedSpans() };
}

describe('a span that leaves', () => {
  it('tells what is listed, and nothing that a library added', () => {
    const { tracer, left } = tracing();
    const span = tracer.startSpan('POST /hooks/:source', {
      attributes: {
        'http.route': '/hooks/:source',
        'sendoff.account': 'marketing',
        'url.path': '/hooks/okta?validationToken=x',
        'bullmq.job.result': 'secret',
      },
      links: [
        {
          context: { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: 1 },
          attributes: { who: 'jane@acme.com' },
        },
      ],
    });
    span.addEvent('job failed', { 'bullmq.job.failed.reason': 'jane@acme.com is an admin' });
    span.recordException(new Error('jane@acme.com'));
    span.setStatus({ code: SpanStatusCode.ERROR, message: 'jane@acme.com' });
    span.end();
    const [one] = left();
    expect(one?.attributes).toEqual({ 'http.route': '/hooks/:source', 'sendoff.account': 'marketing' });
    expect(one).toMatchObject({ events: [], status: { code: SpanStatusCode.ERROR } });
    expect(one?.status.message).toBeUndefined();
    expect(one?.links).toEqual([{ context: expect.objectContaining({ traceId: 'a'.repeat(32) }) }]);
    expect(one?.spanContext()).toEqual(span.spanContext());
  });

  it('has neither an address nor a secret in what is listed', () => {
    const { tracer, left } = tracing();
    tracer
      .startSpan('GET /v3/teammates/jane@acme.com', { attributes: { 'sendoff.account': 'hook-secret-0123456789' } })
      .end();
    expect(left()[0]).toMatchObject({
      name: 'GET /v3/teammates/(address)',
      attributes: { 'sendoff.account': '[redacted]' },
    });
  });

  it.each([
    ['a refused request', SpanKind.SERVER, 401, 0],
    ['a request to nowhere', SpanKind.SERVER, 404, 0],
    ['a stored delivery', SpanKind.SERVER, 204, 1],
    ['a refusal of ours by SendGrid', SpanKind.CLIENT, 401, 1],
  ])('%s leaves %s with %i: %i', (_what, kind, status, spans) => {
    const { tracer, left } = tracing();
    tracer.startSpan('it', { kind, attributes: { 'http.response.status_code': status } }).end();
    expect(left()).toHaveLength(spans);
  });
});

it('says once that nobody takes traces, and once that somebody does again', () => {
  const lines: string[] = [];
  const log = createLog({
    level: 'info',
    role: 'web',
    secrets: [],
    pretty: false,
    destination: { write: (line) => void lines.push(JSON.parse(line).msg) },
  });
  let error: Error | undefined;
  const collector: SpanExporter = {
    export: (_spans, done) => done(error === undefined ? { code: 0 } : { code: 1, error }),
    shutdown: async () => undefined,
  };
  const exporter = notingOutages(collector, log);
  const send = () => exporter.export([], () => undefined);
  send();
  error = new Error('connect ECONNREFUSED');
  for (let i = 0; i < 5; i += 1) send();
  error = undefined;
  for (let i = 0; i < 5; i += 1) send();
  expect(lines).toEqual(['traces can’t be delivered; the work goes on without them', 'traces are delivered again']);
});
