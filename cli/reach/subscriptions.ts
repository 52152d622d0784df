import { z } from 'zod';
import { manageSubscriptions, subscriptionsDocument } from '#producers/subscriptions.js';
import type { DatabaseSession } from '../database.js';
import { type Server, slowMs } from '../server/client.js';
import { page } from '../server/documents.js';
import { onlyBesideIt } from '../server/failures.js';

const source = z.object({
  source: z.string(),
  manageable: z.boolean(),
  lastEventAt: z.string().nullable(),
  subscriptions: z.array(
    z.object({
      kind: z.string(),
      state: z.string(),
      expiresAt: z.string().nullable(),
      detail: z.string(),
      remedy: z.string(),
    }),
  ),
  problem: z.string().nullable(),
});

export type SourceSubscriptions = z.infer<typeof source>;
export type SubscriptionTask = 'list' | 'ensure' | 'remove';

/** Hooks, channels and subscriptions at the identity providers. */
export interface Subscriptions {
  /** @param only undefined: of every source @throws SendoffError PUBLIC_URL_MISSING, SOURCE_UNKNOWN */
  manage(task: SubscriptionTask, only: string | undefined): Promise<SourceSubscriptions[]>;
}

export function inDatabase({ db, config }: DatabaseSession): Subscriptions {
  return {
    manage: async (task, only) => (await manageSubscriptions(db, config(), task, only)).map(subscriptionsDocument),
  };
}

export function atServer(server: Server): Subscriptions {
  return {
    async manage(task, only) {
      if (task !== 'list') throw onlyBesideIt(`subscriptions ${task}`, 'it changes the identity provider');
      return (await server.get('/subscriptions', page(source), { source: only }, slowMs)).items;
    },
  };
}
