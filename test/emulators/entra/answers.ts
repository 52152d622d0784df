import { randomUUID } from 'node:crypto';
import type { Answer, Request } from '../http.js';

/** An error as Graph writes it. */
export function graphError(
  status: number,
  code: string,
  message: string,
  headers: Record<string, string> = {},
): Answer {
  const innerError = { date: new Date().toISOString(), 'request-id': randomUUID(), 'client-request-id': randomUUID() };
  return { status, body: { error: { code, message, innerError } }, headers };
}

export function notFound(what: string): Answer {
  return graphError(
    404,
    'Request_ResourceNotFound',
    `Resource '${what}' does not exist or one of its queried reference-property objects are not present.`,
  );
}

/** A hundred by default, 999 at the most; the rest behind `@odata.nextLink`. */
export function pageOf<T>(request: Request, url: string, items: T[], body: (item: T) => unknown): Answer {
  const { query, path } = request;
  const top = Math.min(Number(query.get('$top') ?? 100), 999);
  const skip = Number(query.get('$skiptoken') ?? 0);
  const next = new URLSearchParams(query);
  next.set('$skiptoken', String(skip + top));
  return {
    status: 200,
    body: {
      '@odata.context': `${url}/v1.0/$metadata`,
      ...(skip + top < items.length ? { '@odata.nextLink': `${url}${path}?${next}` } : {}),
      value: items.slice(skip, skip + top).map(body),
    },
  };
}

/** Only what was asked for, and the id. */
export function selected(
  item: Record<string, unknown>,
  select: string | null,
  byDefault: string[],
): Record<string, unknown> {
  const fields = new Set(select === null ? byDefault : select.split(','));
  return Object.fromEntries(
    Object.entries(item).filter(([key]) => key === 'id' || key.startsWith('@') || fields.has(key)),
  );
}

/**
 * `a eq 'x' or b/any(m:m eq 'y') or endsWith(c,'z')`, without case as in the directory.
 * @returns null when it takes an advanced query, which this one is not
 */
export function filterOf(request: Request): ((item: Record<string, unknown>) => boolean) | null {
  const filter = request.query.get('$filter');
  if (filter === null) return () => true;
  const isAdvanced = request.headers.consistencylevel === 'eventual' && request.query.get('$count') === 'true';
  if (/endsWith\(/.test(filter) && !isAdvanced) return null;
  const tests = filter.split(' or ').map((part) => {
    const text = (quoted: string) => quoted.replaceAll("''", "'").toLowerCase();
    const any = /^(\w+)\/any\((\w):\2 eq '(.*)'\)$/.exec(part);
    if (any !== null) {
      const [, field = '', , value = ''] = any;
      return (item: Record<string, unknown>) =>
        ((item[field] ?? []) as string[]).some((one) => one.toLowerCase() === text(value));
    }
    const [, field = '', value = ''] = /^(\w+) eq '(.*)'$/.exec(part) ?? [];
    if (field !== '') return (item: Record<string, unknown>) => String(item[field] ?? '').toLowerCase() === text(value);
    const [, end = '', suffix = ''] = /^endsWith\((\w+),'(.*)'\)$/.exec(part) ?? [];
    if (end === '') throw new Error(`the emulator cannot read the filter ${part}`);
    return (item: Record<string, unknown>) =>
      String(item[end] ?? '')
        .toLowerCase()
        .endsWith(text(suffix));
  });
  return (item) => tests.some((test) => test(item));
}
