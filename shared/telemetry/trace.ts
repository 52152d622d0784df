import { isSpanContextValid, type Span, type SpanContext, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { SendoffError, WaitError } from '#shared/errors.js';

// What the code says to a trace. @opentelemetry/api does nothing until tracing.ts has started the rest.

/** All that a span may tell; span-export.ts leaves out everything else. Kinds, names from the configuration, ids of rows. */
export const traceAttributes = [
  'sendoff.source',
  'sendoff.account',
  'sendoff.in_subuser',
  'sendoff.event',
  'sendoff.events',
  'sendoff.duplicates',
  'sendoff.plan',
  'sendoff.plan.state',
  'sendoff.verdict',
  'sendoff.evidence',
  'sendoff.action',
  'sendoff.action.kind',
  'sendoff.action.footprint',
  'sendoff.actions',
  'sendoff.sighting',
  'sendoff.waits_ms',
  'error.type',
  'http.request.method',
  'http.response.status_code',
  'http.route',
  'url.template',
  'server.address',
  'bullmq.queue.name',
  'bullmq.job.name',
  'bullmq.job.id',
  'bullmq.job.attempts.made',
] as const;

export type TraceAttributes = Partial<Record<(typeof traceAttributes)[number], string | number | boolean>>;

/** Adds to what a step tells. */
export type Note = (attributes: TraceAttributes) => void;

/** A step of the trace under way. While there is none, as always when traces are off, it is just the work. */
export async function inSpan<T>(
  name: string,
  attributes: TraceAttributes,
  work: (note: Note) => Promise<T>,
  kind: keyof typeof SpanKind = 'INTERNAL',
): Promise<T> {
  if (trace.getActiveSpan() === undefined) return work(() => undefined);
  return trace.getTracer('sendoff').startActiveSpan(name, { attributes, kind: SpanKind[kind] }, async (span) => {
    try {
      return await work((more) => void span.setAttributes(more));
    } catch (error) {
      noteError(span, error);
      throw error;
    } finally {
      span.end();
    }
  });
}

/** By its code: a message may name somebody. Whoever waits has not failed. */
function noteError(span: Span, error: unknown): void {
  span.setAttribute('error.type', error instanceof SendoffError ? error.code : nameOf(error));
  if (error instanceof WaitError) span.setAttribute('sendoff.waits_ms', Math.ceil(error.delayMs));
  else span.setStatus({ code: SpanStatusCode.ERROR });
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}

/** The step under way as a W3C traceparent, to be stored with what it leads to; null: none is. */
export function currentTraceparent(): string | null {
  const context = trace.getActiveSpan()?.spanContext();
  if (context === undefined) return null;
  return `00-${context.traceId}-${context.spanId}-${context.traceFlags.toString(16).padStart(2, '0')}`;
}

/** @returns null for what is no traceparent */
export function parseTraceparent(text: string): SpanContext | null {
  const [, traceId = '', spanId = '', flags = ''] = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/.exec(text) ?? [];
  const context = { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
  return isSpanContextValid(context) ? context : null;
}
