import { randomUUID } from 'node:crypto';
import type { Answer, Request } from '../http.js';

export function oktaError(errorCode: string, errorSummary: string) {
  return { errorCode, errorSummary, errorLink: errorCode, errorId: `oae${randomUUID().slice(0, 12)}`, errorCauses: [] };
}

export function missing(what: string): Answer {
  return { status: 404, body: oktaError('E0000007', `Not found: Resource not found: ${what}`) };
}

export function invalid(errorCode: string, what: string): Answer {
  return { status: 400, body: oktaError(errorCode, what) };
}

/** Paging goes by Link (idp-events.md §1.6). */
export function pageOf<T>({ query, path }: Request, url: string, items: T[], body: (item: T) => unknown): Answer {
  const limit = Math.min(Number(query.get('limit') ?? 200), 200);
  const after = Number(query.get('after') ?? 0);
  const next = new URLSearchParams(query);
  next.set('after', String(after + limit));
  const more = after + limit < items.length;
  return {
    status: 200,
    body: items.slice(after, after + limit).map(body),
    headers: more ? { link: `<${url}${path}?${next}>; rel="next"` } : {},
  };
}
