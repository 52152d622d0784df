import { z } from 'zod';
import type { ActionState } from '#shared/lifecycle/types.js';
import { listActions } from '#shared/store/actions.js';
import type { ListPage, ListQuery } from '#shared/store/lists.js';
import type { DatabaseSession } from '../database.js';
import type { Server } from '../server/client.js';
import { page } from '../server/documents.js';

const action = z.object({
  id: z.string(),
  state: z.string(),
  kind: z.string(),
  footprint: z.string(),
  account: z.string(),
  target: z.string(),
  attempts: z.number(),
  lastError: z.string().nullable(),
  createdAt: z.string(),
});

/** The effect ledger. */
export interface Actions {
  list(query: ListQuery & { state?: ActionState }): Promise<ListPage<z.infer<typeof action>>>;
}

export function inDatabase({ db }: DatabaseSession): Actions {
  return { list: (query) => listActions(db, query) };
}

export function atServer(server: Server): Actions {
  return { list: (query) => server.get('/actions', page(action), { ...query }) };
}
