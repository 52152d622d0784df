import { z } from 'zod';
import { testChannels } from '#shared/operations/alert-test.js';
import { openAlerts } from '#shared/store/alerts.js';
import type { ApiContext, ApiServer } from './context.js';
import { at, page } from './schemas.js';

const alert = z.object({
  key: z.string(),
  kind: z.string(),
  title: z.string(),
  remedy: z.string(),
  openedAt: at,
});

export function alertRoutes(app: ApiServer, { db, config, outside, scrub }: ApiContext): void {
  app.get(
    '/alerts',
    {
      config: { access: 'viewer' },
      schema: { tags: ['alerts'], summary: 'What needs a human now, newest first', response: { 200: page(alert) } },
    },
    async () => {
      const items = (await openAlerts(db)).map(({ openedAt, times: _, ...one }) => ({
        ...one,
        openedAt: openedAt.toISOString(),
      }));
      return { items, next: null };
    },
  );

  app.post(
    '/alerts/tests',
    {
      config: { access: 'operator' },
      schema: {
        tags: ['alerts'],
        summary: 'Send a test message now',
        body: z.strictObject({
          channel: z.string().max(100).optional().describe('Only there; without it, everywhere'),
        }),
        response: {
          200: z.object({
            channels: z.array(z.object({ channel: z.string(), ok: z.boolean(), error: z.string().nullable() })),
          }),
        },
      },
    },
    async ({ body: { channel } }) => {
      const channels = await testChannels(config, outside().clients, channel);
      return { channels: channels.map((one) => ({ ...one, error: one.error === null ? null : scrub(one.error) })) };
    },
  );
}
