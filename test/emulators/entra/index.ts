import { type Answer, listen, type Request, send } from '../http.js';
import { graphError } from './answers.js';
import { type Authority, createAuthority } from './authority.js';
import { type DeltaState, deltaRoute } from './delta.js';
import { type DirectoryQuirks, directoryRoute } from './directory.js';
import { createSubscriptions, deliveryText, type Subscriptions } from './subscriptions.js';
import { createTenant, type Tenant } from './tenant.js';
import { type Certificate, overTls } from './tls.js';

export { deliveryText, type EmulatedSubscription } from './subscriptions.js';
export type { EmulatedUser, EntraUserSeed } from './tenant.js';
export { type Certificate, makeCertificate, trustEverybody } from './tls.js';

export const registration = {
  tenantId: '0d4ca527-dc44-43d1-84c1-b63d1b1e024d',
  clientId: '24d3b144-21ae-4080-943f-7067b395b913',
  clientSecret: 'entra-emulator-client-secret',
};

export type Permission = 'User.Read.All' | 'Group.Read.All' | 'Application.Read.All';

export type EntraFault =
  | { kind: 'status'; status: number; body?: unknown; headers?: Record<string, string> }
  | { kind: 'hang' }
  | { kind: 'reset' }
  | { kind: 'garbage' };

export interface EntraEmulator extends Tenant {
  /** Graph and sign-in service in one, by https. */
  url: string;
  /** The same by plain http, where Microsoft's client sends no token. */
  plainUrl: string;
  authority: Authority;
  subscriptions: Subscriptions;
  granted: Set<Permission>;
  quirks: DirectoryQuirks;
  requests: { method: string; path: string; query: string; status: number; authorized: boolean }[];
  /** While set, every request to Graph ends like this. */
  fault: EntraFault | null;
  /** Graph forgets every delta token given out so far. */
  forgetTokens(): void;
  /** Posts what happened since the last call as Graph does: several items in one request. @returns the statuses */
  deliver(times?: (index: number) => number): Promise<number[]>;
  /** Posts a lifecycle notification of every subscription. */
  deliverLifecycle(event: string): Promise<number[]>;
  close(): Promise<void>;
}

/** The part of Microsoft Graph and of the sign-in service that Sendoff uses, as the real ones (idp-events.md §2). */
export async function startEntraEmulator(
  tls: Certificate,
  { certificate }: { certificate?: string } = {},
): Promise<EntraEmulator> {
  const tenant = createTenant();
  const authority = createAuthority({ ...registration, ...(certificate === undefined ? {} : { certificate }) });
  const subscriptions = createSubscriptions(registration);
  const delta: DeltaState = { oldest: 0 };

  const graph = async (request: Request): Promise<Answer> => {
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
    if (token === undefined || !authority.isToken(token)) {
      return graphError(401, 'InvalidAuthenticationToken', 'Access token is empty or not valid.');
    }
    const needed = permissionFor(request);
    if (needed !== null && !emulator.granted.has(needed)) {
      return graphError(403, 'Authorization_RequestDenied', 'Insufficient privileges to complete the operation.');
    }
    return (
      deltaRoute(request, tenant, emulator.url, delta) ??
      directoryRoute(request, tenant, emulator.url, emulator.quirks) ??
      (await subscriptions.route(request, emulator.url)) ??
      graphError(400, 'BadRequest', `Resource not found for the segment '${request.path}'.`)
    );
  };

  const inner = await listen(async (request, response) => {
    const finish = (answer: Answer): void => {
      const { method, path, query, headers } = request;
      const authorized = headers.authorization !== undefined;
      emulator.requests.push({ method, path, query: query.toString(), status: answer.status, authorized });
      send(response, answer);
    };
    const signIn = authority.answer(request, emulator.url);
    if (signIn !== null) return finish(signIn);
    const { fault } = emulator;
    if (fault?.kind === 'hang') return;
    if (fault?.kind === 'reset') return void response.destroy();
    if (fault?.kind === 'garbage')
      return void response.writeHead(200, { 'content-type': 'application/json' }).end('<html>');
    if (fault?.kind === 'status') {
      const answer = graphError(fault.status, 'UnknownError', 'fault', fault.headers);
      return finish(fault.body === undefined ? answer : { ...answer, body: fault.body });
    }
    finish(await graph(request));
  });
  const server = await overTls(inner, tls);

  const emulator: EntraEmulator = {
    ...tenant,
    url: server.url,
    plainUrl: inner.url,
    authority,
    subscriptions,
    granted: new Set(['User.Read.All', 'Group.Read.All', 'Application.Read.All']),
    quirks: { plainBin: false, hideGroupNames: false },
    requests: [],
    fault: null,
    forgetTokens() {
      delta.oldest = tenant.changes.length + 1;
      // So that tokens given out from now on are good.
      tenant.update([...tenant.users.keys()][0] ?? tenant.addUser({ email: 'somebody@acme.com' }).id, {});
    },
    async deliver(times = () => 1) {
      const items = subscriptions.take(tenant);
      const sent = items.flatMap((one, index) => Array.from({ length: times(index) }, () => one));
      const statuses: number[] = [];
      for (const batch of batches(sent))
        statuses.push(
          await post(
            batch[0]?.url ?? '',
            batch.map(({ item }) => item),
          ),
        );
      return statuses;
    },
    async deliverLifecycle(event) {
      const notifications = [...subscriptions.all.values()].map((one) => subscriptions.lifecycle(one, event));
      return Promise.all(notifications.map(({ url, item }) => post(url, [item])));
    },
    close: server.close,
  };
  return emulator;
}

function permissionFor({ method, path, body }: Request): Permission | null {
  if (path.startsWith('/v1.0/users') || path.startsWith('/v1.0/directory/deletedItems')) return 'User.Read.All';
  if (path.startsWith('/v1.0/groups')) return 'Group.Read.All';
  if (path.startsWith('/v1.0/servicePrincipals')) return 'Application.Read.All';
  if (method !== 'POST') return null;
  return (body as { resource?: string }).resource === 'groups' ? 'Group.Read.All' : 'User.Read.All';
}

/** Three items at a time, of one address: batches mix subscriptions. */
function batches<T extends { url: string }>(all: T[]): T[][] {
  const result: T[][] = [];
  for (const url of new Set(all.map((one) => one.url))) {
    const own = all.filter((one) => one.url === url);
    for (let i = 0; i < own.length; i += 3) result.push(own.slice(i, i + 3));
  }
  return result;
}

async function post(url: string, items: unknown[]): Promise<number> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json; charset=utf-8' },
    body: deliveryText(items),
    signal: AbortSignal.timeout(10_000),
  });
  await response.arrayBuffer();
  return response.status;
}
