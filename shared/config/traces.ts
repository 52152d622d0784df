import { z } from 'zod';

// OpenTelemetry's own names for where traces go (opentelemetry.io, "OTLP Exporter Configuration").

const path = 'v1/traces';

const optional = z
  .string()
  .optional()
  .transform((value) => (value === undefined || value.trim() === '' ? null : value.trim()));
const endpoint = optional.refine(
  (text) => text === null || (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)),
  'is no such URL (it begins with http:// or https://)',
);
const headers = optional.refine(
  (text) => text === null || pairsIn(text) !== null,
  'is no list of name=value, by comma',
);

export const traceVariables = {
  OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: endpoint,
  OTEL_EXPORTER_OTLP_HEADERS: headers,
  OTEL_EXPORTER_OTLP_TRACES_HEADERS: headers,
  OTEL_SERVICE_NAME: optional,
  OTEL_SDK_DISABLED: optional,
};

export interface TraceSettings {
  /** Takes OTLP over HTTP in protobuf. */
  url: string;
  /** They may hold the collector's key. */
  headers: Record<string, string>;
  serviceName: string;
}

/** @returns null: traces are off, as they are unless an endpoint is named */
export function traceSettings(read: z.infer<z.ZodObject<typeof traceVariables>>): TraceSettings | null {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: base, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: own } = read;
  const url = own ?? (base === null ? null : `${base.replace(/\/+$/, '')}/${path}`);
  if (url === null || read.OTEL_SDK_DISABLED?.toLowerCase() === 'true') return null;
  return {
    url,
    headers: { ...pairsIn(read.OTEL_EXPORTER_OTLP_HEADERS), ...pairsIn(read.OTEL_EXPORTER_OTLP_TRACES_HEADERS) },
    serviceName: read.OTEL_SERVICE_NAME ?? 'sendoff',
  };
}

/** A collector's gRPC port would take nothing of ours, and say so to nobody. */
export function traceLines(env: NodeJS.ProcessEnv): string[] {
  if (!env.OTEL_EXPORTER_OTLP_ENDPOINT && !env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT) return [];
  const name = env.OTEL_EXPORTER_OTLP_TRACES_PROTOCOL
    ? 'OTEL_EXPORTER_OTLP_TRACES_PROTOCOL'
    : 'OTEL_EXPORTER_OTLP_PROTOCOL';
  if (!env[name] || env[name] === 'http/protobuf') return [];
  return [
    `${name}: Sendoff speaks http/protobuf alone (set OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=http/protobuf and an endpoint for it, usually port 4318)`,
  ];
}

/** `name=value,…`, values percent-encoded; null when it is none. */
function pairsIn(text: string | null): Record<string, string> | null {
  const pairs = (text ?? '').split(',').filter((pair) => pair.trim() !== '');
  try {
    return Object.fromEntries(
      pairs.map((pair) => {
        const at = pair.indexOf('=');
        if (at < 1) throw new Error('no name');
        return [pair.slice(0, at).trim(), decodeURIComponent(pair.slice(at + 1).trim())];
      }),
    );
  } catch {
    return null;
  }
}
