import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import type { TraceSettings } from '#shared/config/traces.js';
import type { Log } from './log.js';
import { notingOutages, onlyWhatMayLeave } from './span-export.js';

/** One attempt to deliver, its repetitions included; also how long a process that ends may be kept by one. */
const deliverMs = 4_000;
/** What is left at the end is given so long: it comes out of the time to drain. */
const flushMs = 2_000;

/** Traces being made and sent. */
export interface Tracing {
  /** Sends what is still here, if the collector takes it quickly. */
  stop(): Promise<void>;
}

/** Everything behind tracing.ts. What it needs is loaded with this file, so nobody but tracing.ts may import it. */
export function openTelemetry(
  { url, headers, serviceName }: TraceSettings,
  { role, log, scrub }: { role: string; log: Log; scrub(text: string): string },
): Tracing {
  const exporter = notingOutages(new OTLPTraceExporter({ url, headers, timeoutMillis: deliverMs }), log);
  // Bounded: what does not fit into its queue is dropped.
  const batches = new BatchSpanProcessor(exporter, { exportTimeoutMillis: deliverMs });
  const provider = new NodeTracerProvider({
    resource: detectResources({ detectors: [envDetector] }).merge(
      resourceFromAttributes({ 'service.name': serviceName, 'sendoff.role': role }),
    ),
    spanProcessors: [onlyWhatMayLeave(batches, scrub)],
  });
  // No propagator: who sends a hook does not say which trace it belongs to. Ours go on by the rows (queue/job-traces.ts).
  provider.register({ propagator: null });
  log.info({ service: serviceName }, 'traces are on');
  return {
    async stop() {
      await Promise.race([
        provider.shutdown().catch(() => undefined),
        new Promise((resolve) => setTimeout(resolve, flushMs).unref()),
      ]);
    },
  };
}
