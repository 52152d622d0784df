import { randomUUID } from 'node:crypto';
import type { Answer, Request } from '../http.js';
import { graphError, pageOf } from './answers.js';
import type { Change, Tenant } from './tenant.js';

const longestMinutes = 41_760;
const perApp = 100;

export interface EmulatedSubscription {
  id: string;
  resource: string;
  changeType: string;
  notificationUrl: string;
  lifecycleNotificationUrl: string | null;
  expirationDateTime: string;
  clientState: string;
}

export interface Notification {
  url: string;
  item: Record<string, unknown>;
}

export interface Subscriptions {
  all: Map<string, EmulatedSubscription>;
  /** While it runs, the create call waits: notifications may come first. */
  beforeAnswer: ((subscription: EmulatedSubscription) => Promise<void>) | null;
  route(request: Request, url: string): Promise<Answer | null>;
  /** What the changes since the last call would push. */
  take(tenant: Tenant): Notification[];
  item(subscription: EmulatedSubscription, change: Change): Record<string, unknown>;
  lifecycle(subscription: EmulatedSubscription, event: string): Notification;
}

export function createSubscriptions({ tenantId, clientId }: { tenantId: string; clientId: string }): Subscriptions {
  const all = new Map<string, EmulatedSubscription>();
  let told = 0;

  /** clientState is never given out again. */
  const shown = (one: EmulatedSubscription) => ({
    ...one,
    clientState: null,
    applicationId: clientId,
    latestSupportedTlsVersion: 'v1_2',
  });

  const create = async (request: Request): Promise<Answer> => {
    const asked = request.body as Partial<EmulatedSubscription>;
    const problem = problemOf(asked);
    if (problem !== null) return graphError(400, 'InvalidRequest', problem);
    if (all.size >= perApp)
      return graphError(403, 'Forbidden', `Subscription count ${perApp} exceeded for app and tenant`);
    const subscription = { lifecycleNotificationUrl: null, ...asked, id: randomUUID() } as EmulatedSubscription;
    for (const address of [subscription.notificationUrl, subscription.lifecycleNotificationUrl]) {
      if (address !== null && !(await isValidated(address))) {
        return graphError(
          400,
          'ValidationError',
          'Subscription validation request failed. Notification endpoint must respond with 200 OK to validation request.',
        );
      }
    }
    all.set(subscription.id, subscription);
    await subscriptions.beforeAnswer?.(subscription);
    return { status: 201, body: { ...shown(subscription), clientState: subscription.clientState } };
  };

  const subscriptions: Subscriptions = {
    all,
    beforeAnswer: null,
    async route(request, url) {
      const [, , noun, id] = request.path.split('/').map(decodeURIComponent);
      if (noun !== 'subscriptions') return null;
      if (id === undefined)
        return request.method === 'POST' ? create(request) : pageOf(request, url, [...all.values()], shown);
      const subscription = all.get(id);
      if (subscription === undefined) return graphError(404, 'ResourceNotFound', 'The object was not found.');
      if (request.method === 'DELETE') {
        all.delete(id);
        return { status: 204 };
      }
      if (request.method === 'PATCH') {
        const { expirationDateTime = '' } = request.body as Partial<EmulatedSubscription>;
        const problem = lifeProblem(expirationDateTime);
        if (problem !== null) return graphError(400, 'InvalidRequest', problem);
        subscription.expirationDateTime = expirationDateTime;
      }
      return { status: 200, body: shown(subscription) };
    },
    take({ changes }) {
      const fresh = changes.slice(told);
      told = changes.length;
      const current = [...all.values()].filter((one) => Date.parse(one.expirationDateTime) > Date.now());
      return fresh.flatMap((change) =>
        current
          .filter((one) => one.resource === change.about && one.changeType.split(',').includes(change.changeType))
          .map((one) => ({ url: one.notificationUrl, item: subscriptions.item(one, change) })),
      );
    },
    item(subscription, { about, id, changeType, at, sequenceNumber, members }) {
      const [type, noun] = about === 'users' ? ['User', 'Users'] : ['Group', 'Groups'];
      return {
        changeType,
        clientState: subscription.clientState,
        resource: `${noun}/${id}`,
        resourceData: {
          '@odata.type': `#Microsoft.Graph.${type}`,
          '@odata.id': `${noun}/${id}`,
          id,
          organizationId: tenantId,
          eventTime: at,
          sequenceNumber: asNumber(sequenceNumber),
          ...(members.length === 0 ? {} : { 'members@delta': members.map((member) => ({ id: member.id })) }),
        },
        subscriptionExpirationDateTime: subscription.expirationDateTime,
        subscriptionId: subscription.id,
        tenantId,
      };
    },
    lifecycle: (subscription, lifecycleEvent) => ({
      url: subscription.lifecycleNotificationUrl ?? '',
      item: {
        subscriptionId: subscription.id,
        subscriptionExpirationDateTime: subscription.expirationDateTime,
        tenantId,
        clientState: subscription.clientState,
        lifecycleEvent,
      },
    }),
  };
  return subscriptions;
}

const numberMark = 'number:';

/** Graph writes a number that JavaScript cannot hold. */
function asNumber(digits: string): string {
  return `${numberMark}${digits}`;
}

export function deliveryText(items: readonly unknown[]): string {
  return JSON.stringify({ value: items }).replaceAll(new RegExp(`"${numberMark}(\\d+)"`, 'g'), '$1');
}

function problemOf(asked: Partial<EmulatedSubscription>): string | null {
  const { resource, changeType = '', notificationUrl = '', clientState = '', expirationDateTime = '' } = asked;
  if (resource !== 'users' && resource !== 'groups') return `the resource ${resource} is not supported`;
  if (!/^(updated|deleted)(,(updated|deleted))?$/.test(changeType))
    return `the change type ${changeType} is not supported`;
  if (!/^https:|^http:\/\/127\./.test(notificationUrl)) return 'Notification URL must use https';
  if (clientState.length > 128) return 'clientState is too long';
  return lifeProblem(expirationDateTime);
}

function lifeProblem(expirationDateTime: string): string | null {
  const minutes = (Date.parse(expirationDateTime) - Date.now()) / 60_000;
  if (minutes > 0 && minutes <= longestMinutes) return null;
  return `Subscription expiration can only be ${longestMinutes} minutes in the future.`;
}

async function isValidated(address: string): Promise<boolean> {
  const token = `Validation: Testing client application reachability for subscription Request-Id: ${randomUUID()}`;
  try {
    const response = await fetch(`${address}?validationToken=${encodeURIComponent(token).replaceAll('%20', '+')}`, {
      method: 'POST',
      headers: { 'content-type': 'text/plain; charset=utf-8' },
      signal: AbortSignal.timeout(10_000),
    });
    const isText = response.headers.get('content-type')?.startsWith('text/plain') === true;
    return (await response.text()) === token && response.status === 200 && isText;
  } catch {
    return false;
  }
}
