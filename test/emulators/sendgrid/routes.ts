import type { Answer, Request } from '../http.js';
import type { EmulatedAccount } from './account.js';

/** One endpoint. `applied`: did the request change anything? */
export interface Route {
  method: string;
  /** Template such as `/v3/teammates/{username}`. */
  path: string;
  run(account: EmulatedAccount, request: Request, params: Record<string, string>): Answer & { applied?: boolean };
}

export function error(status: number, message: string, field: string | null = null): Answer {
  return { status, body: { errors: [{ message, field }] } };
}

/** What a request says, whatever it is. */
export function bodyOf({ body }: Request): Record<string, unknown> {
  return typeof body === 'object' && body !== null && !Array.isArray(body) ? (body as Record<string, unknown>) : {};
}

/** `offset` counts items; a limit above 500 is refused (sendgrid.md §2, pagination). */
export function paged(
  query: URLSearchParams,
  defaultLimit: number,
  items: unknown[],
  wrap: (page: unknown[]) => unknown,
): Answer {
  const limit = Number(query.get('limit') ?? defaultLimit);
  const offset = Number(query.get('offset') ?? 0);
  if (!Number.isInteger(limit) || limit < 1 || limit > 500) return error(400, 'limit must be from 1 to 500', 'limit');
  if (!Number.isInteger(offset) || offset < 0) return error(400, 'invalid offset', 'offset');
  return { status: 200, body: wrap(items.slice(offset, offset + limit)) };
}

/** Finds the route of a request: literal segments before parameters. */
export function matchRoute(
  routes: Route[],
  method: string,
  path: string,
): { route: Route; params: Record<string, string> } | null {
  const segments = path.split('/');
  let best: { route: Route; params: Record<string, string>; literals: number } | null = null;
  for (const route of routes) {
    if (route.method !== method) continue;
    const wanted = route.path.split('/');
    if (wanted.length !== segments.length) continue;
    const params: Record<string, string> = {};
    let literals = 0;
    const fits = wanted.every((part, index) => {
      const given = segments[index] ?? '';
      if (part.startsWith('{')) {
        params[part.slice(1, -1)] = decodeURIComponent(given);
        return given !== '';
      }
      literals += 1;
      return part === given;
    });
    if (fits && (best === null || literals > best.literals)) best = { route, params, literals };
  }
  return best;
}
