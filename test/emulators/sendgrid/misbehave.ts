import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer, Request } from '../http.js';
import type { EmulatedAccount } from './account.js';
import type { Fault } from './faults.js';
import type { Route } from './routes.js';

// Carries out a fault that struck a request.

export interface Struck {
  response: ServerResponse;
  run(): Answer & { applied?: boolean };
  finish(result: Answer & { applied?: boolean }): void;
  seen(status: number, applied: boolean): void;
  account: EmulatedAccount;
  /** The subuser acted for. */
  subuser: string | null;
  request: Request;
  route: Route;
}

/** @param struck.snapshot what `snapshotOf` gave of the space, by account name */
export async function misbehave({ fault, snapshot }: { fault: Fault; snapshot: unknown }, on: Struck): Promise<void> {
  switch (fault.kind) {
    case 'status': {
      const retry = fault.retryAfter === undefined ? {} : { 'retry-after': String(fault.retryAfter) };
      return on.finish({
        status: fault.status,
        body: fault.body ?? { errors: [{ message: `fault ${fault.status}`, field: null }] },
        headers: retry,
      });
    }
    case 'apply-then-hang':
    case 'apply-then-reset': {
      const result = on.run();
      on.seen(0, result.applied ?? false);
      if (fault.kind === 'apply-then-reset') on.response.destroy();
      return;
    }
    case 'hang':
      return on.seen(0, false);
    case 'reset':
      on.seen(0, false);
      on.response.destroy();
      return;
    case 'slow':
      await sleep(fault.ms);
      return on.finish(on.run());
    case 'accept-and-ignore':
      return on.finish(
        on.request.method === 'GET'
          ? on.run()
          : {
              status: on.request.method === 'DELETE' ? 204 : 200,
              ...(on.request.method === 'DELETE' ? {} : { body: {} }),
            },
      );
    case 'garbage':
      on.seen(200, false);
      on.response.writeHead(200, { 'content-type': fault.contentType ?? 'application/json' }).end(fault.body);
      return;
    case 'redirect':
      return on.finish({ status: 302, headers: { location: fault.location } });
    case 'drop-item':
      return on.finish(withList(on.run(), (items) => items.slice(1)));
    case 'short-page':
      return on.finish(withList(on.run(), (items) => items.slice(0, fault.length)));
    case 'stale-list': {
      const earlier = (snapshot as Map<string, EmulatedAccount>).get(on.account.name) ?? on.account;
      const space = on.subuser === null ? earlier : earlier.inSubuser(on.subuser);
      return on.finish(on.route.run(space, on.request, {}));
    }
  }
}

function withList(answer: Answer, change: (items: unknown[]) => unknown[]): Answer {
  if (Array.isArray(answer.body)) return { ...answer, body: change(answer.body) };
  const body = answer.body as Record<string, unknown> | undefined;
  const key = ['result', 'results'].find((name) => Array.isArray(body?.[name]));
  return key === undefined ? answer : { ...answer, body: { ...body, [key]: change(body?.[key] as unknown[]) } };
}

/** A copy of everything in the account and inside its subusers that a list shows. */
export function snapshotOf(account: EmulatedAccount): EmulatedAccount {
  const copy = Object.create(Object.getPrototypeOf(account)) as EmulatedAccount;
  return Object.assign(copy, account, {
    teammates: new Map(account.teammates),
    invitations: new Map(account.invitations),
    accessRequests: account.accessRequests === null ? null : new Map(account.accessRequests),
    verifiedSenders: structuredClone(account.verifiedSenders),
    senders: structuredClone(account.senders),
    legacySenders: structuredClone(account.legacySenders),
    alerts: structuredClone(account.alerts),
    apiKeys: structuredClone(account.apiKeys),
    forwardBounce: { ...account.forwardBounce },
    forwardSpam: { ...account.forwardSpam },
    addressWhitelist: structuredClone(account.addressWhitelist),
    spaces: new Map([...account.spaces].map(([username, space]) => [username, snapshotOf(space)])),
  });
}
