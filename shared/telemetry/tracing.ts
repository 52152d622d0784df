import type { TraceSettings } from '#shared/config/traces.js';
import type { Log } from './log.js';
import type { Tracing } from './open-telemetry.js';

export type { Tracing } from './open-telemetry.js';

/** @returns null when traces are off: then nothing of OpenTelemetry but its empty API is loaded */
export async function startTracing(
  settings: TraceSettings | null,
  more: { role: string; log: Log; scrub(text: string): string },
): Promise<Tracing | null> {
  if (settings === null) return null;
  const { openTelemetry } = await import('./open-telemetry.js');
  return openTelemetry(settings, more);
}
