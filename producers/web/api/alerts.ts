import { z } from 'zod';
import { alertKinds } from '#shared/alerts/alert.js';
import { testChannels } from '#shared/operations/alerts.js';
import { channelStates, openAlerts } from '#shared/store/alerts.js';
import { actorOf } from '../access.js';
import type { ApiContext, ApiServer } from './context.js';
import { at, atOrNull, page } from './schemas.js';

const alert = z.object({
  id: z.string().describe('The same for as long as it is so'),
  state: z.literal('open'),
  kind: z.enum(alertKinds),
  title: z.string(),
  remedy: z.string(),
  openedAt: at,
});

const channel = z.object({
  name: z.string(),
  type: z.enum(['slack', 'webhook', 'email']),
  on: z.array(z.enum(alertKinds)),
  digestSeconds: z.number().describe('At most one message in so long; what comes meanwhile is in the next one'),
  sentAt: atOrNull,
  failures: z.number().describe('In a row; it is tried again ever later'),
  lastError: z.string().nullable(),
});

const outcome = z.object({ channel: z.string(), ok: z.boolean(), error: z.string().nullable() });

export function alertRoutes(app: ApiServer, { db, config, outside, scrub }: ApiContext): void {
  app.get(
    '/alerts',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['alerts'],
        summary: 'What needs somebody now, newest first',
        querystring: z.strictObject({ limit: z.coerce.number().int().min(1).max(500).default(50) }),
        response: { 200: page(alert) },
      },
    },
    async ({ query: { limit } }) => ({
      items: (await openAlerts(db, limit)).map(({ key, kind, title, remedy, openedAt }) => ({
        ...{ id: key, state: 'open' as const, kind, title: scrub(title), remedy, openedAt: openedAt.toISOString() },
      })),
      next: null,
    }),
  );

  app.get(
    '/alerts/channels',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['alerts'],
        summary: 'Who is told, of what, how often at the most, and whether that works',
        response: { 200: page(channel) },
      },
    },
    async () => {
      const states = await channelStates(db);
      const items = Object.entries(config.notifications).map(([name, { type, on, digest }]) => {
        const state = states.get(name);
        return {
          ...{ name, type, on, digestSeconds: digest / 1_000 },
          sentAt: state?.sentAt?.toISOString() ?? null,
          failures: state?.failures ?? 0,
          lastError: state?.lastError == null ? null : scrub(state.lastError),
        };
      });
      return { items, next: null };
    },
  );

  app.post(
    '/alerts/test',
    {
      config: { access: 'operator' },
      schema: {
        tags: ['alerts'],
        summary: 'Send a test message to one channel, or to all of them',
        body: z.strictObject({ channel: z.string().max(100).optional() }),
        response: { 200: z.object({ channels: z.array(outcome) }) },
      },
    },
    async (request) => {
      const by = actorOf(request);
      const outcomes = await testChannels(db, config, outside().clients, { ...request.body, by });
      return {
        channels: outcomes.map(({ error, ...one }) => ({ ...one, error: error === null ? null : scrub(error) })),
      };
    },
  );
}
