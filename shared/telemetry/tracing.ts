import type { TraceSettings } from '#shared/config/traces.js';
import type { Log } from './log.js';

/** Traces being made and sent. */
export interface Tracing {
  /** Sends what is still here, if the collector takes it quickly. */
  stop(): Promise<void>;
}

/** @returns null when traces are off: then nothing of OpenTelemetry but its empty API is loaded */
export async function startTracing(
  settings: TraceSettings | null,
  more: { role: string; log: Log; scrub(text: string): string },
): Promise<Tracing | null> {
  if (settings === null) return null;
  const { openTelemetry } = await import('./open-telemetry.js');
  return openTelemetry(settings, more);
}
