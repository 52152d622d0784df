import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type Ask, ask, given, Problem, type Query } from './client.ts';
import { useIsTold } from './live.ts';
import type { Me, Role } from './types.ts';

/** What the server tells changes of is asked for so seldom, in case it missed one. */
const toldMs = 30_000;

/**
 * Asks, and asks again when the server says that it changed, or every few seconds where it does not: what the page
 * shows is what the server says.
 */
export function useRead<T>(path: string, { everyMs = 5_000, ...more }: { everyMs?: number; body?: object } = {}) {
  const isTold = useIsTold(path);
  return useQuery<T, Problem>({
    queryKey: [path, more],
    queryFn: ({ signal }) => ask<T>(path, { signal, method: more.body === undefined ? 'GET' : 'POST', ...more }),
    refetchInterval: isTold ? Math.max(everyMs, toldMs) : everyMs,
    // The next page of a list may stand in for the one before; one person for another may not.
    placeholderData: (former, query) => (pathOf(query?.queryKey[0]) === pathOf(path) ? former : undefined),
    retry: (count, problem) =>
      count < 2 && !(problem instanceof Problem && problem.status >= 400 && problem.status < 500),
  });
}

/** Asks about somebody: what names them travels in the body, for addresses end up in logs (docs/api.md, "Lists"). */
export function useSearch<T>(path: string, asked: Query) {
  return useRead<T>(path, { body: Object.fromEntries(given(asked)) });
}

function pathOf(asked: unknown): string | undefined {
  return String(asked).split('?')[0];
}

export interface Write extends Ask {
  path: string;
}

/** Every write changes what some page shows: all of it is asked for again. */
export function useWrite<T = unknown>() {
  const queries = useQueryClient();
  return useMutation<T, Problem, Write>({
    mutationFn: ({ path, ...rest }) => ask<T>(path, { method: 'POST', ...rest }),
    onSettled: () => queries.invalidateQueries(),
  });
}

export function useMe() {
  return useRead<Me>('/me', { everyMs: 60_000 });
}

const roles: Role[] = ['viewer', 'operator', 'approver', 'admin'];

/** Spares people buttons that the server would refuse. */
export function useMay(needs: Role): boolean {
  const { data } = useMe();
  return data !== undefined && roles.indexOf(data.role) >= roles.indexOf(needs);
}
