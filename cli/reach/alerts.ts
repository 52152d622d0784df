import { z } from 'zod';
import { testChannels } from '#shared/operations/alerts.js';
import { openAlerts } from '#shared/store/alerts.js';
import type { DatabaseSession } from '../database.js';
import { type Server, slowMs } from '../server/client.js';
import { page } from '../server/documents.js';

const alert = z.object({
  id: z.string(),
  state: z.literal('open'),
  kind: z.string(),
  title: z.string(),
  remedy: z.string(),
  openedAt: z.string(),
});
const told = z.object({
  channels: z.array(z.object({ channel: z.string(), ok: z.boolean(), error: z.string().nullable() })),
});

/** What needs a human, and who is told. */
export interface Alerts {
  list(): Promise<z.infer<typeof alert>[]>;
  /** Sends a test message. @param channel undefined: to all of them @throws SendoffError CHANNEL_UNKNOWN */
  test(channel: string | undefined): Promise<z.infer<typeof told>['channels']>;
}

/** As many as the API gives at once. */
const most = 500;

export function inDatabase({ db, config, outside, by }: DatabaseSession): Alerts {
  return {
    list: async () =>
      (await openAlerts(db, most)).map(({ key, kind, title, remedy, openedAt }) => {
        return { id: key, state: 'open', kind, title, remedy, openedAt: openedAt.toISOString() };
      }),
    test: async (channel) => testChannels(db, config(), (await outside()).clients, { channel, by: by() }),
  };
}

export function atServer(server: Server): Alerts {
  return {
    list: async () => (await server.get('/alerts', page(alert), { limit: most })).items,
    test: async (channel) => (await server.post('/alerts/test', told, { channel }, slowMs)).channels,
  };
}
