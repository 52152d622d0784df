import { z } from 'zod';
import { testChannels } from '#shared/operations/alert-test.js';
import { openAlerts } from '#shared/store/alerts.js';
import type { DatabaseSession } from '../database.js';
import { type Server, slowMs } from '../server/client.js';
import { page } from '../server/documents.js';

const alert = z.object({
  key: z.string(),
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

export function inDatabase({ db, config, outside }: DatabaseSession): Alerts {
  return {
    list: async () =>
      (await openAlerts(db)).map(({ openedAt, times: _, ...one }) => ({ ...one, openedAt: openedAt.toISOString() })),
    test: async (channel) => testChannels(config(), (await outside()).clients, channel),
  };
}

export function atServer(server: Server): Alerts {
  return {
    list: async () => (await server.get('/alerts', page(alert))).items,
    test: async (channel) => (await server.post('/alerts/tests', told, { channel }, slowMs)).channels,
  };
}
