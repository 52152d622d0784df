import { z } from 'zod';
import { readRosterPage, rosterFilters } from '#shared/operations/roster-page.js';
import { resumeEffects, stopEffects } from '#shared/operations/stops.js';
import { rosterFigures } from '#shared/store/account-rosters.js';
import { openBreakers } from '#shared/store/accounts.js';
import { everywhere, listStops, type Stop } from '#shared/store/stops.js';
import { actorOf } from '../access.js';
import type { ApiContext, ApiServer } from './context.js';
import { assertAccount, at, atOrNull, countedListQuery, page, reason, searchConfig } from './schemas.js';

const stop = z.object({ scope: z.string(), by: z.string(), reason: z.string().nullable(), at });

export const account = z.object({
  account: z.string(),
  mode: z.enum(['observe', 'approve', 'enforce']),
  sso: z.boolean(),
  readAt: atOrNull.describe('When the teammates were last read'),
  teammates: z.number(),
  invitations: z.number(),
  seatsUsed: z.number().describe('Teammates and pending invitations'),
  breaker: z.object({ openedAt: at, reason: z.string() }).nullable(),
  stop: stop.nullable(),
});

const rosterItem = z.object({
  id: z.string(),
  state: z.enum(['teammate', 'invitation']),
  person: z.object({ id: z.string().nullable(), email: z.string() }),
  username: z.string().nullable(),
  name: z.string().nullable(),
  userType: z.string().nullable(),
  admin: z.boolean(),
  sso: z.boolean(),
  expiresAt: atOrNull,
  flags: z.array(z.enum(rosterFilters)),
});

const rosterQuery = countedListQuery.extend({ filter: z.enum(rosterFilters).optional() });
const rosterPage = page(rosterItem).extend({ readAt: atOrNull, total: z.number() });

export function accountRoutes(app: ApiServer, context: ApiContext): void {
  const { db, config } = context;

  app.get(
    '/accounts',
    {
      config: { access: 'viewer' },
      schema: { tags: ['accounts'], summary: 'Every configured account', response: { 200: page(account) } },
    },
    async () => ({ items: await readAccounts(context), next: null }),
  );

  app.get(
    '/accounts/:account/roster',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['accounts'],
        summary: 'The parent’s teammates and invitations, as last read',
        params: z.strictObject({ account: z.string() }),
        querystring: rosterQuery,
        response: { 200: rosterPage },
      },
    },
    ({ params, query }) => {
      assertAccount(config.accounts, params.account);
      return readRosterPage(context, params.account, query);
    },
  );

  app.post(
    '/accounts/:account/roster/search',
    {
      config: searchConfig,
      schema: {
        tags: ['accounts'],
        summary: 'The same by part of an address or username',
        params: z.strictObject({ account: z.string() }),
        body: rosterQuery.extend({ search: z.string().trim().min(1).max(320).optional() }),
        response: { 200: rosterPage },
      },
    },
    ({ params, body }) => {
      assertAccount(config.accounts, params.account);
      return readRosterPage(context, params.account, body);
    },
  );

  app.get(
    '/stops',
    {
      config: { access: 'viewer' },
      schema: { tags: ['accounts'], summary: 'What stands still', response: { 200: page(stop) } },
    },
    async () => ({ items: (await listStops(db)).map(stopItem), next: null }),
  );

  app.post(
    '/stops',
    {
      config: { access: 'operator' },
      schema: {
        tags: ['accounts'],
        summary: 'Let nothing more be changed in SendGrid, at once; events are still taken in and planned',
        body: z.strictObject({ account: z.string().optional().describe('Only there'), reason: reason.optional() }),
        response: { 200: page(stop) },
      },
    },
    async (request) => {
      const { account, reason = null } = request.body;
      if (account !== undefined) assertAccount(config.accounts, account);
      const stops = await stopEffects(db, { scope: account ?? everywhere, by: actorOf(request), reason });
      return { items: stops.map(stopItem), next: null };
    },
  );

  app.post(
    '/stops/resume',
    {
      config: { access: 'approver', fresh: true },
      schema: {
        tags: ['accounts'],
        summary: 'Lift a stop: what waited goes on',
        body: z.strictObject({ account: z.string().optional().describe('The stop of this account') }),
        response: { 200: page(stop) },
      },
    },
    async (request) => {
      const { account } = request.body;
      if (account !== undefined) assertAccount(config.accounts, account);
      const stops = await resumeEffects(db, { scope: account ?? everywhere, by: actorOf(request) });
      return { items: stops.map(stopItem), next: null };
    },
  );
}

export async function readAccounts({ db, config }: ApiContext): Promise<z.infer<typeof account>[]> {
  const [figures, breakers, stops] = await Promise.all([rosterFigures(db), openBreakers(db), listStops(db)]);
  return Object.entries(config.accounts).map(([name, { mode, sso }]) => {
    const { readAt, teammates, invitations } = figures.find((one) => one.account === name) ?? {
      readAt: null,
      teammates: 0,
      invitations: 0,
    };
    const breaker = breakers.find((one) => one.account === name);
    const stopped = stops.find(({ scope }) => scope === everywhere) ?? stops.find(({ scope }) => scope === name);
    return {
      account: name,
      mode,
      sso,
      readAt,
      teammates,
      invitations,
      seatsUsed: teammates + invitations,
      breaker: breaker === undefined ? null : { openedAt: breaker.openedAt.toISOString(), reason: breaker.reason },
      stop: stopped === undefined ? null : stopItem(stopped),
    };
  });
}

function stopItem({ scope, by, reason, at }: Stop): z.infer<typeof stop> {
  return { scope, by, reason, at: at.toISOString() };
}
