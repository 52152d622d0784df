import { type Context, createContextKey, type Link, ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api';
import type { Span, Telemetry } from 'bullmq';
import { BullMQOtel } from 'bullmq-otel';
import { z } from 'zod';
import { parseTraceparent } from '#shared/telemetry/trace.js';

// Loaded by runtime.ts alone, and only when traces are on.

/** A trace is gone on with for so long. What waits for days would make it endless: a new one begins, and names the old. */
const goOnForMs = 3_600_000;
const goneOnFrom = createContextKey('sendoff.gone_on_from');

const metadata = z.object({ traceparent: z.string(), since: z.number() });

/**
 * Makes one span of the processing of each job, in the trace that its row names. BullMQ’s other spans, of polling and
 * of locks, would be a trace every few seconds that says nothing.
 */
export function traceJobs(): Telemetry<Context> {
  const { tracer, contextManager } = new BullMQOtel({ tracerName: 'sendoff' });
  return {
    contextManager: {
      with: (context, work) => contextManager.with(context, work),
      active: () => contextManager.active(),
      getMetadata: (context) => contextManager.getMetadata(context),
      fromMetadata: (_active, text) => origin(text),
    },
    tracer: {
      startSpan(name, options, context = ROOT_CONTEXT) {
        if (options?.kind !== SpanKind.CONSUMER) return silent;
        const from = context.getValue(goneOnFrom) as Link['context'] | undefined;
        const links = from === undefined ? [] : [{ context: from }];
        return tracer.startSpan(name, { kind: SpanKind.CONSUMER, links }, context);
      },
    },
  };
}

function origin(text: string): Context {
  const { data } = metadata.safeParse(parsed(text));
  const from = data === undefined ? null : parseTraceparent(data.traceparent);
  if (data === undefined || from === null) return ROOT_CONTEXT;
  const isOld = Date.now() - data.since > goOnForMs;
  return isOld ? ROOT_CONTEXT.setValue(goneOnFrom, from) : trace.setSpanContext(ROOT_CONTEXT, from);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const silent: Span<Context> = {
  setSpanOnContext: (context) => context,
  setAttribute: () => undefined,
  setAttributes: () => undefined,
  addEvent: () => undefined,
  recordException: () => undefined,
  end: () => undefined,
};
