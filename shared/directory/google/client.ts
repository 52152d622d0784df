import type { admin_directory_v1, admin_reports_v1 } from '@googleapis/admin';
import type { JWT } from 'google-auth-library';
import type { z } from 'zod';
import type { GoogleSource } from '#shared/config/sources/google.js';
import { GoogleUnavailable, unavailable, unclear } from './failure.js';
import { ActivityPage, Channel, GroupPage, MemberPage, UserPage } from './schema.js';
import { guardedFetch } from './transport.js';

const timeoutMs = 10_000;
/** A walk that does not end is no answer. */
const maxPages = 1_000;

/** What the domain-wide delegation has to allow, each for itself: one that is missing takes no other part down. */
export const scopes = {
  users: 'https://www.googleapis.com/auth/admin.directory.user.readonly',
  groups: 'https://www.googleapis.com/auth/admin.directory.group.readonly',
  audit: 'https://www.googleapis.com/auth/admin.reports.audit.readonly',
} as const;
export type Scope = keyof typeof scopes;

export interface Page {
  items: unknown[];
  next: string | null;
}

/** Which users: of the customer or domain, the deleted ones or the others. */
export interface UserQuery {
  deleted?: boolean;
  query?: string;
  pageToken?: string | null;
  maxResults?: number;
}

export interface WatchRequest {
  /** null: every event. */
  event: string | null;
  id: string;
  address: string;
  token: string;
  ttlSeconds: number;
}

/** Reads the Admin SDK. A 404 for one thing is an answer; everything else that is no 200 is `GoogleUnavailable`. */
export interface GoogleClient {
  /** @param key id or any address @returns null for Google's own "not found" */
  getUser(key: string): Promise<unknown | null>;
  userPage(query: UserQuery): Promise<Page>;
  users(query: UserQuery): AsyncGenerator<unknown[]>;
  /** Groups that a person or a group is a direct member of. */
  groupsOf(member: string): Promise<unknown[]>;
  /** @param query of the Directory API; null: all groups */
  groups(query: string | null): AsyncGenerator<unknown[]>;
  /** Everybody in a group, nested groups included. */
  members(group: string): AsyncGenerator<unknown[]>;
  /** What administrators did, newest first. */
  activityPage(window: { start: Date; end: Date; pageToken: string | null; maxResults?: number }): Promise<Page>;
  watchUsers(request: WatchRequest): Promise<Channel>;
  stopChannel(id: string, resourceId: string): Promise<void>;
  /** Can a token be had for this scope alone? @throws GoogleUnavailable */
  authorize(scope: Scope): Promise<void>;
}

export function createGoogleClient(name: string, config: GoogleSource, timeout = timeoutMs): GoogleClient {
  const calls = callsOf(name, config, timeout);
  const of = config.domain === undefined ? { customer: config.customer } : { domain: config.domain };

  const userPage = async ({ deleted = false, query, pageToken, maxResults = 500 }: UserQuery): Promise<Page> => {
    const page = await calls.directory('users', (api) =>
      api.users.list({
        ...of,
        maxResults,
        ...(deleted ? { showDeleted: 'true' } : {}),
        ...(query === undefined ? {} : { query }),
        ...(pageToken ? { pageToken } : {}),
      }),
    );
    const { users, nextPageToken } = parsed(name, UserPage, page);
    return { items: users ?? [], next: nextPageToken ?? null };
  };
  const groupPage = async (params: admin_directory_v1.Params$Resource$Groups$List): Promise<Page> => {
    const page = parsed(name, GroupPage, await calls.directory('groups', (api) => api.groups.list(params)));
    return { items: page.groups ?? [], next: page.nextPageToken ?? null };
  };
  const memberPage = async (params: admin_directory_v1.Params$Resource$Members$List): Promise<Page> => {
    const page = parsed(name, MemberPage, await calls.directory('groups', (api) => api.members.list(params)));
    return { items: page.members ?? [], next: page.nextPageToken ?? null };
  };

  return {
    async getUser(userKey) {
      try {
        return await calls.directory('users', (api) => api.users.get({ userKey, projection: 'full' }));
      } catch (error) {
        // Google's own 404 carries a reason; one without comes from something between us and Google.
        if (error instanceof GoogleUnavailable && error.status === 404 && error.reason === 'notFound') return null;
        throw error;
      }
    },
    userPage,
    users: (query) => walk(name, (pageToken) => userPage({ ...query, pageToken })),
    groupsOf: (member) =>
      whole(
        walk(name, (pageToken) => groupPage({ userKey: member, maxResults: 200, ...(pageToken && { pageToken }) })),
      ),
    groups: (query) => {
      const wanted = { ...of, ...(query === null ? {} : { query }), maxResults: 200 };
      return walk(name, (pageToken) => groupPage({ ...wanted, ...(pageToken && { pageToken }) }));
    },
    members: (groupKey) => {
      const wanted = { groupKey, includeDerivedMembership: true, maxResults: 200 };
      return walk(name, (pageToken) => memberPage({ ...wanted, ...(pageToken && { pageToken }) }));
    },
    async activityPage({ start, end, pageToken, maxResults = 1_000 }) {
      const page = await calls.reports((api) =>
        api.activities.list({
          userKey: 'all',
          applicationName: 'admin',
          startTime: start.toISOString(),
          endTime: end.toISOString(),
          maxResults,
          ...(config.customer === 'my_customer' ? {} : { customerId: config.customer }),
          ...(pageToken === null ? {} : { pageToken }),
        }),
      );
      const { items, nextPageToken } = parsed(name, ActivityPage, page);
      return { items: items ?? [], next: nextPageToken ?? null };
    },
    async watchUsers({ event, id, address, token, ttlSeconds }) {
      const channel = await calls.directory('users', (api) =>
        api.users.watch({
          ...of,
          ...(event === null ? {} : { event }),
          requestBody: { id, type: 'web_hook', address, token, params: { ttl: String(ttlSeconds) } },
        }),
      );
      return parsed(name, Channel, channel);
    },
    async stopChannel(id, resourceId) {
      await calls.directory('users', (api) => api.channels.stop({ requestBody: { id, resourceId } }));
    },
    authorize: calls.authorize,
  };
}

/**
 * Google's libraries for what they are good at: the JWT grant with a subject, and the shape of requests. Their retries
 * would sleep for long and hide a throttling, so they are off. They take long to load: only who asks waits for them.
 */
function callsOf(name: string, config: GoogleSource, timeout: number) {
  const transporterOptions = {
    timeout,
    retry: false,
    // The token request brings a retry configuration of its own.
    retryConfig: { retry: 0, noResponseRetries: 0 },
    fetchImplementation: guardedFetch(config),
  };
  const tokens = new Map<Scope, Promise<JWT>>();
  const tokenFor = (scope: Scope): Promise<JWT> => {
    const known = tokens.get(scope) ?? makeToken(scope);
    tokens.set(scope, known);
    return known;
  };
  const makeToken = async (scope: Scope): Promise<JWT> => {
    const { JWT } = await import('google-auth-library');
    const { clientEmail: email, privateKey: key, subject } = config;
    return new JWT({ email, key, subject, scopes: [scopes[scope]], transporterOptions });
  };
  const apiFor = async (scope: Scope) => {
    const { admin } = await import('@googleapis/admin');
    const options = {
      rootUrl: `${config.baseUrl}/`,
      // Two releases of the same library, which differ in nothing that is used.
      auth: (await tokenFor(scope)) as never,
      retry: false,
      timeout,
      // An environment variable of the library would send requests elsewhere.
      universeDomain: 'googleapis.com',
    };
    return {
      directory: () => admin({ version: 'directory_v1', ...options }),
      reports: () => admin({ version: 'reports_v1', ...options }),
    };
  };
  const asked = async (run: () => Promise<{ data: unknown }>): Promise<unknown> => {
    try {
      return (await run()).data;
    } catch (error) {
      const failure = unavailable(name, error);
      // Tokens that were taken back are asked for anew the next time.
      if (failure.status === 401) tokens.clear();
      throw failure;
    }
  };
  return {
    directory: (scope: 'users' | 'groups', run: (api: admin_directory_v1.Admin) => Promise<{ data: unknown }>) =>
      asked(async () => run((await apiFor(scope)).directory())),
    reports: (run: (api: admin_reports_v1.Admin) => Promise<{ data: unknown }>) =>
      asked(async () => run((await apiFor('audit')).reports())),
    async authorize(scope: Scope) {
      try {
        await (await tokenFor(scope)).authorize();
      } catch (error) {
        throw unavailable(name, error);
      }
    },
  };
}

async function* walk(name: string, pageAt: (pageToken: string | null) => Promise<Page>): AsyncGenerator<unknown[]> {
  let token: string | null = null;
  for (let count = 0; count < maxPages; count += 1) {
    const { items, next }: Page = await pageAt(token);
    yield items;
    if (next === null) return;
    token = next;
  }
  throw unclear(name, `a list has more than ${maxPages} pages`);
}

async function whole(pages: AsyncGenerator<unknown[]>): Promise<unknown[]> {
  const items: unknown[] = [];
  for await (const page of pages) items.push(...page);
  return items;
}

export function parsed<T>(name: string, schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw unclear(name, 'its answer has not the documented form');
}
