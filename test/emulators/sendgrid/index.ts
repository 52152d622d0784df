import { EventEmitter } from 'node:events';
import { appendFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Answer, listen, type Request, send } from '../http.js';
import { accessRequestRoutes } from './access-requests.js';
import { EmulatedAccount } from './account.js';
import { accountRoutes } from './account-endpoints.js';
import { alertRoutes } from './alerts.js';
import { apiKeyRoutes } from './api-keys.js';
import { Faults } from './faults.js';
import { entryOf, type JournalEntry, subuserOf } from './journal.js';
import { mailSettingRoutes } from './mail-settings.js';
import { misbehave, snapshotOf } from './misbehave.js';
import { error, matchRoute, type Route } from './routes.js';
import type { AccountSeed } from './seeds.js';
import { senderRoutes } from './senders.js';
import { subuserRoutes } from './subusers.js';
import { teammateRoutes } from './teammates.js';
import { verifiedSenderRoutes } from './verified-senders.js';

export { EmulatedAccount } from './account.js';
export type { JournalEntry } from './journal.js';
export type { AccountSeed, EmulatedTeammate, SubuserSeed, TeammateSeed } from './seeds.js';

const routes: Route[] = [
  ...teammateRoutes,
  ...accountRoutes,
  ...subuserRoutes,
  ...accessRequestRoutes,
  ...verifiedSenderRoutes,
  ...senderRoutes,
  ...alertRoutes,
  ...mailSettingRoutes,
  ...apiKeyRoutes,
];

export interface SendGridEmulator {
  url: string;
  /** Every request in the order of arrival; never edited. */
  journal: JournalEntry[];
  faults: Faults;
  /** Told of every request once it is answered (or deliberately is not). */
  on(event: 'request', listener: (entry: JournalEntry) => void): void;
  addAccount(seed: AccountSeed): EmulatedAccount;
  account(name: string): EmulatedAccount;
  /** Requests that changed something, such as a deletion. */
  applied(): JournalEntry[];
  close(): Promise<void>;
}

/** SendGrid's v3 API over HTTP, with its traps (sendgrid.md §1, §12) and with faults on request. */
export async function startSendGridEmulator({
  port = 0,
  latencyMs = 0,
  journalFile,
}: {
  port?: number;
  latencyMs?: number;
  journalFile?: string;
} = {}): Promise<SendGridEmulator> {
  const accounts = new Map<string, EmulatedAccount>();
  const journal: JournalEntry[] = [];
  const events = new EventEmitter();
  const faults = new Faults(() => new Map([...accounts].map(([name, account]) => [name, snapshotOf(account)])));

  const record = (entry: JournalEntry): void => {
    journal.push(entry);
    if (journalFile !== undefined) appendFileSync(journalFile, `${JSON.stringify(entry)}\n`);
    events.emit('request', entry);
  };

  const server = await listen(async (request, response) => {
    if (latencyMs > 0) await sleep(latencyMs);
    const bearer = request.headers.authorization?.replace(/^Bearer /, '') ?? '';
    const known = [...accounts.values()].map((one) => ({ account: one, space: spaceOf(one, bearer) }));
    const found = known.find(({ space }) => space !== null);
    if (found === undefined || found.space === null || found.account.revoked) {
      record(entryOf(found?.account.name ?? 'unknown', request, null, 401, false));
      return send(response, error(401, 'authorization required'));
    }
    await answer(found.account, found.space, request, response);
  }, port);

  /** @param home the space that the key belongs to */
  async function answer(
    account: EmulatedAccount,
    home: EmulatedAccount,
    request: Request,
    response: ServerResponse,
  ): Promise<void> {
    const match = matchRoute(routes, request.method, request.path);
    const endpoint = match === null ? request.path : `${request.method} ${match.route.path}`;
    const headers = countAgainstLimit(account, endpoint);
    const finish = (result: Answer & { applied?: boolean }): void => {
      record(entryOf(account.name, request, match?.route ?? null, result.status, result.applied ?? false));
      send(response, { ...result, headers: { ...headers.values, ...result.headers } });
    };
    if (headers.exceeded) return finish(error(429, 'too many requests'));
    if (match === null) return finish(error(404, 'not found'));

    const named = subuserOf(request);
    const heeded = named !== null && !account.ignoresOnBehalfOf.some((path) => request.path.startsWith(path));
    const space = heeded ? home.spaces.get(named) : home;
    if (space === undefined) return finish(error(403, 'access forbidden'));
    const subuser = space === account ? null : space.name;

    const run = () => match.route.run(space, request, match.params);
    const struck = faults.strike({ account: account.name, subuser, method: request.method, path: request.path });
    if (struck === null) return finish(run());
    const seen = (status: number, applied: boolean) =>
      record(entryOf(account.name, request, match.route, status, applied));
    await misbehave(struck, { response, run, finish, seen, account, subuser, request, route: match.route });
  }

  return {
    url: server.url,
    journal,
    faults,
    on: (event, listener) => void events.on(event, listener),
    addAccount(seed) {
      const account = new EmulatedAccount(seed);
      accounts.set(seed.name, account);
      return account;
    },
    account(name) {
      const account = accounts.get(name);
      if (account === undefined) throw new Error(`the emulator has no account ${name}`);
      return account;
    },
    applied: () => journal.filter((entry) => entry.applied),
    close: server.close,
  };
}

/** The headers that every answer carries (sendgrid.md §2, rate limits). */
function countAgainstLimit(
  account: EmulatedAccount,
  endpoint: string,
): { values: Record<string, string>; exceeded: boolean } {
  if (account.rateLimit === null) return { values: {}, exceeded: false };
  const { limit, windowSeconds } = account.rateLimit;
  const now = Date.now();
  let window = account.windows.get(endpoint);
  if (window === undefined || window.resetAt <= now) {
    // Real resets are whole seconds.
    window = { count: 0, resetAt: Math.ceil((now + windowSeconds * 1_000) / 1_000) * 1_000 };
    account.windows.set(endpoint, window);
  }
  window.count += 1;
  return {
    exceeded: window.count > limit,
    values: {
      'x-ratelimit-limit': String(limit),
      'x-ratelimit-remaining': String(Math.max(0, limit - window.count)),
      'x-ratelimit-reset': String(window.resetAt / 1_000),
    },
  };
}

/** The account or the subuser that a key lets into; null: it is no key of theirs. */
function spaceOf(account: EmulatedAccount, bearer: string): EmulatedAccount | null {
  if (bearer === account.apiKey) return account;
  const spaces = [account, ...account.spaces.values()];
  const opens = (space: EmulatedAccount) =>
    space.lingeringKeys.has(bearer) || [...space.apiKeys.values()].some(({ secret }) => secret === bearer);
  return spaces.find(opens) ?? null;
}
