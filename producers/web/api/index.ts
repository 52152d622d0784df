import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { type Outside, openOutside } from '#shared/planning/surroundings.js';
import { openBreaker } from '#shared/store/accounts.js';
import { accountRoutes } from './accounts.js';
import { alertRoutes } from './alerts.js';
import { auditRoutes } from './audit.js';
import type { ApiContext, ApiServer } from './context.js';
import { eventRoutes } from './events.js';
import { onceForEachKey } from './idempotency.js';
import { keyRoutes } from './keys.js';
import { describeApi } from './openapi.js';
import { overviewRoutes } from './overview.js';
import { orderRoutes, peopleRoutes } from './people.js';
import { planRoutes } from './plans.js';
import { reconciliationRoutes } from './reconciliations.js';
import { replayRoutes } from './replays.js';
import { settingsRoutes } from './settings.js';
import { sourceRoutes } from './sources.js';
import { streamRoutes } from './stream.js';
import { tokenRoutes } from './tokens.js';

/** Every noun of the API, one file each. */
const nouns = [
  overviewRoutes,
  streamRoutes,
  peopleRoutes,
  orderRoutes,
  eventRoutes,
  replayRoutes,
  planRoutes,
  accountRoutes,
  keyRoutes,
  alertRoutes,
  auditRoutes,
  reconciliationRoutes,
  sourceRoutes,
  settingsRoutes,
  tokenRoutes,
];

/** The JSON API below /api/v1, and what describes it. It never changes SendGrid: it stores what is wanted. */
export async function registerApi(app: FastifyInstance, options: Omit<ApiContext, 'outside'>): Promise<void> {
  const { db, config, policy } = options;
  let opened: Outside | null = null;
  const context: ApiContext = {
    ...options,
    outside() {
      opened ??= openOutside(db, config, policy, (account, why) => openBreaker(db, account, why));
      return opened;
    },
  };
  await describeApi(app);
  app.get('/api/openapi.json', { config: { access: 'viewer' }, schema: { hide: true } }, async () => app.swagger());
  app.register(
    async (scope) => {
      onceForEachKey(scope, db);
      const api: ApiServer = scope.withTypeProvider<ZodTypeProvider>();
      for (const add of nouns) add(api, context);
    },
    { prefix: '/api/v1' },
  );
}
