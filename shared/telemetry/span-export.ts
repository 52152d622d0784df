import { type Attributes, SpanKind } from '@opentelemetry/api';
import type { ReadableSpan, SpanExporter, SpanProcessor } from '@opentelemetry/sdk-trace-node';
import { messageOf } from '#shared/errors.js';
import type { Log } from './log.js';
import { traceAttributes } from './trace.js';

// What leaves in a span, and what happens when nobody takes it.

const allowed = new Set<string>(traceAttributes);
const address = /[^\s<>"'(),:;/=&?]+@[^\s<>"'(),:;/=&?]+/g;

/**
 * Lets spans through with what `traceAttributes` lists and nothing else: libraries add URLs, bodies of errors and
 * messages of their own. Whoever was not let in leaves no trace, so that a flood of forgeries drives no other out.
 */
export function onlyWhatMayLeave(inner: SpanProcessor, scrub: (text: string) => string): SpanProcessor {
  return {
    onStart: (span, parent) => inner.onStart(span, parent),
    onEnd(span) {
      if (!isStranger(span)) inner.onEnd(cleaned(span, scrub));
    },
    forceFlush: () => inner.forceFlush(),
    shutdown: () => inner.shutdown(),
  };
}

function isStranger({ kind, attributes }: ReadableSpan): boolean {
  const status = attributes['http.response.status_code'];
  return kind === SpanKind.SERVER && (status === 401 || status === 404);
}

function cleaned(span: ReadableSpan, scrub: (text: string) => string): ReadableSpan {
  const text = (value: string) => scrub(value).replace(address, '(address)');
  return {
    name: text(span.name),
    kind: span.kind,
    spanContext: () => span.spanContext(),
    ...(span.parentSpanContext === undefined ? {} : { parentSpanContext: span.parentSpanContext }),
    startTime: span.startTime,
    endTime: span.endTime,
    duration: span.duration,
    ended: span.ended,
    // Never the message: `error.type` has the code.
    status: { code: span.status.code },
    attributes: permitted(span.attributes, text),
    links: span.links.map(({ context }) => ({ context })),
    events: [],
    resource: span.resource,
    instrumentationScope: span.instrumentationScope,
    droppedAttributesCount: span.droppedAttributesCount,
    droppedEventsCount: span.droppedEventsCount,
    droppedLinksCount: span.droppedLinksCount,
  };
}

function permitted(attributes: Attributes, text: (value: string) => string): Attributes {
  return Object.fromEntries(
    Object.entries(attributes).flatMap(([name, value]) => {
      if (!allowed.has(name) || typeof value === 'object' || value === undefined) return [];
      return [[name, typeof value === 'string' ? text(value) : value]];
    }),
  );
}

/** Says once that nobody takes the spans, and once that somebody does again. The spans of meanwhile are lost. */
export function notingOutages(inner: SpanExporter, log: Log): SpanExporter {
  let away = false;
  return {
    export(spans, done) {
      inner.export(spans, (result) => {
        const failed = result.error !== undefined;
        if (failed && !away)
          log.warn({ error: messageOf(result.error) }, 'traces can’t be delivered; the work goes on without them');
        if (!failed && away) log.info({}, 'traces are delivered again');
        away = failed;
        done(result);
      });
    },
    shutdown: () => inner.shutdown(),
  };
}
