import type { Request } from '../http.js';
import type { Route } from './routes.js';

/** One request as the emulator saw it: what tests judge by. */
export interface JournalEntry {
  at: number;
  account: string;
  /** Whom `on-behalf-of` named, heeded or not. */
  subuser: string | null;
  method: string;
  path: string;
  query: string;
  /** Endpoint template, or the path when there is none. */
  endpoint: string;
  status: number;
  /** Did it change anything? */
  applied: boolean;
  body: unknown;
}

export function entryOf(
  account: string,
  request: Request,
  route: Route | null,
  status: number,
  applied: boolean,
): JournalEntry {
  return {
    at: Date.now(),
    account,
    subuser: subuserOf(request),
    method: request.method,
    path: request.path,
    query: request.query.toString(),
    endpoint: route === null ? request.path : `${request.method} ${route.path}`,
    status,
    applied,
    body: request.body ?? null,
  };
}

export function subuserOf({ headers }: Request): string | null {
  const named = headers['on-behalf-of'];
  return typeof named === 'string' ? named : null;
}
