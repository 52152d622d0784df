/** A refusal or failure as the API says it (RFC 9457). */
export class Problem extends Error {
  override name = 'Problem';
  readonly status: number;
  readonly code: string;
  readonly remedy: string | null;

  constructor(status: number, code: string, detail: string, remedy: string | null) {
    super(detail);
    this.status = status;
    this.code = code;
    this.remedy = remedy;
  }
}

export interface Ask {
  method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  body?: unknown;
  signal?: AbortSignal;
}

/** @throws Problem */
export async function ask<T>(path: string, { method = 'GET', body, signal }: Ask = {}): Promise<T> {
  const answer = await fetch(`/api/v1${path}`, {
    method,
    headers: {
      accept: 'application/json',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(method === 'GET' ? {} : { 'idempotency-key': randomKey() }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal }),
  }).catch((error: unknown) => {
    if (signal?.aborted === true) throw error;
    throw new Problem(0, 'UNREACHABLE', 'Sendoff did not answer.', 'Is the web process up, and this device online?');
  });
  if (answer.ok) return (await answer.json()) as T;
  const { code, detail, title, remedy } = (await answer.json().catch(() => ({}))) as Record<string, string | undefined>;
  throw new Problem(answer.status, code ?? 'UNKNOWN', detail ?? title ?? `status ${answer.status}`, remedy ?? null);
}

export type Query = Record<string, string | number | boolean | undefined | null>;

/** Keys that are not set are left out. */
export function withQuery(path: string, query: Query): string {
  const pairs = given(query).map(([key, value]) => [key, String(value)]);
  return pairs.length === 0 ? path : `${path}?${new URLSearchParams(pairs)}`;
}

/** What is asked for, without what is not. */
export function given(query: Query): [string, string | number | boolean][] {
  return Object.entries(query).flatMap(([key, value]): [string, string | number | boolean][] =>
    value === undefined || value === null || value === '' ? [] : [[key, value]],
  );
}

/** `crypto.randomUUID` is missing where a page came over plain http. */
function randomKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
