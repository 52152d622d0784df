import { randomUUID } from 'node:crypto';

/** What a LogEvent is about, in few words. */
export interface LogEventSeed {
  eventType: string;
  /** Whom it is about; empty: nobody alone. */
  userId: string;
  /** The login; need not be an address. */
  login: string;
  uuid?: string;
  published?: string;
  /** For events of an app's membership, or of an app. */
  appId?: string;
  /** For events of a group's membership, or of a group. */
  group?: string;
  /** Why, where it failed. */
  reason?: string;
}

/** An event hook's delivery in Okta's own shape, after its documented samples (idp-events.md §1.3). */
export function hookPayload(orgUrl: string, events: LogEventSeed[]) {
  return {
    eventType: 'com.okta.event_hook',
    eventTypeVersion: '1.0',
    cloudEventsVersion: '0.1',
    source: `${orgUrl}/api/v1/eventHooks/who8vt36qfNpCGz9H1e6`,
    eventId: randomUUID(),
    eventTime: new Date().toISOString(),
    contentType: 'application/json',
    data: { events: events.map(logEvent) },
  };
}

/** The same in a delivery and in the System Log. */
export function logEvent(seed: LogEventSeed) {
  const { eventType, uuid = randomUUID(), published = new Date().toISOString(), reason } = seed;
  return {
    uuid,
    published,
    eventType,
    version: '0',
    displayMessage: eventType,
    severity: reason === undefined ? 'INFO' : 'ERROR',
    client: { userAgent: null, zone: null, device: null, id: null, ipAddress: null, geographicalContext: null },
    actor: { id: '00uadmin', type: 'User', alternateId: 'admin@acme.com', displayName: 'Admin', detailEntry: null },
    outcome: { result: reason === undefined ? 'SUCCESS' : 'FAILURE', reason: reason ?? null },
    target: targetsOf(seed),
    transaction: { type: 'WEB', id: randomUUID(), detail: {} },
    debugContext: { debugData: { requestUri: '/admin/user/deactivate' } },
    legacyEventType: null,
    authenticationContext: { authenticationStep: 0, externalSessionId: 'trs' },
    securityContext: { asNumber: null, asOrg: null, isp: null, domain: null, isProxy: null },
    request: { ipChain: [] },
  };
}

function targetsOf({ userId, login, appId, group }: LogEventSeed) {
  const target = (id: string, type: string, alternateId: string, displayName = alternateId) => {
    return { id, type, alternateId, displayName, detailEntry: null };
  };
  return [
    ...(appId === undefined || userId === '' ? [] : [target(`0ua${userId}`, 'AppUser', login)]),
    ...(appId === undefined ? [] : [target(appId, 'AppInstance', 'SendGrid')]),
    ...(userId === '' ? [] : [target(userId, 'User', login)]),
    ...(group === undefined ? [] : [target(`00g-${group}`, 'UserGroup', 'unknown', group)]),
  ];
}
