import { z } from 'zod';
import {
  cancelOffboarding,
  type OffboardOrder,
  orderOffboarding,
  orderRestore,
  type RestoreOrdered,
} from '#shared/operations/orders.js';
import { showEvent } from '#shared/store/inbox.js';
import { listPlans } from '#shared/store/plans.js';
import { isWorkerAlive } from '#shared/store/processes.js';
import type { DatabaseSession } from '../database.js';
import { found } from '../ids.js';
import type { Server } from '../server/client.js';
import { isWorkerAliveAt, page, person } from '../server/documents.js';
import { type Plan, plan } from './plans.js';

const ordered = z.object({ eventId: z.string() });
const restored = ordered.extend({
  records: z.array(z.object({ account: z.string(), subuser: z.string().nullable(), target: z.string() })),
});
const event = z.object({
  state: z.string(),
  person: person.nullable(),
  reason: z.string().nullable(),
  lastError: z.string().nullable(),
});

/** What operators order, and what becomes of it. */
export interface Orders {
  /** @returns the event's id */
  offboard(order: Omit<OffboardOrder, 'by'>): Promise<string>;
  /** @returns the event's id @throws SendoffError NO_ORDER */
  cancel(order: Pick<OffboardOrder, 'email' | 'reason'>): Promise<string>;
  /** @throws SendoffError NOTHING_TO_RESTORE */
  restore(email: string): Promise<RestoreOrdered>;
  event(id: string): Promise<z.infer<typeof event>>;
  /** null: nothing was planned for them yet. */
  newestPlan(personId: string): Promise<Plan | null>;
  isWorkerAlive(): Promise<boolean>;
}

export function inDatabase({ db, config, by }: DatabaseSession): Orders {
  // Nothing is ordered from a place whose configuration nobody could work with.
  config();
  return {
    offboard: (order) => orderOffboarding(db, { ...order, by: by() }),
    cancel: (order) => cancelOffboarding(db, { ...order, by: by() }),
    restore: (email) => orderRestore(db, { email, by: by() }),
    event: async (id) => found('event', id, await showEvent(db, id)),
    newestPlan: async (personId) => (await listPlans(db, { limit: 1, personId })).items[0] ?? null,
    isWorkerAlive: () => isWorkerAlive(db),
  };
}

export function atServer(server: Server): Orders {
  return {
    async offboard({ email, reason, at }) {
      const body = { email, reason: reason ?? undefined, at: at ?? undefined };
      return (await server.post('/orders/offboard', ordered, body)).eventId;
    },
    async cancel({ email, reason }) {
      return (await server.post('/orders/cancel', ordered, { email, reason: reason ?? undefined })).eventId;
    },
    restore: (email) => server.post('/orders/restore', restored, { email }),
    event: (id) => server.get(`/events/${id}`, event),
    newestPlan: async (personId) => (await server.get('/plans', page(plan), { personId, limit: 1 })).items[0] ?? null,
    isWorkerAlive: () => isWorkerAliveAt(server),
  };
}
