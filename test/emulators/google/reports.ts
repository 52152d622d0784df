import type { Answer, Request } from '../http.js';
import { type EmulatedActivity, type GoogleWorld, googleError, pageOf } from './world.js';

const retentionMs = 180 * 24 * 60 * 60_000;

/** `/admin/reports/v1/activity/users/all/applications/admin`: newest first, at most 180 days back. */
export function listActivities({ query }: Request, world: GoogleWorld): Answer {
  const now = world.now().getTime();
  const start = Date.parse(query.get('startTime') ?? '') || now - retentionMs;
  const end = Date.parse(query.get('endTime') ?? '') || now;
  if (start >= end || start < now - retentionMs) return googleError(400, 'invalid', 'Invalid Input: startTime');
  const shown = world.activities
    .filter(({ time, visibleAt }) => +time >= start && +time <= end && +visibleAt <= now)
    .sort((a, b) => +b.time - +a.time);
  return pageOf(world, query, shown, {
    kind: 'admin#reports#activities',
    key: 'items',
    longest: 1_000,
    body: (activity) => activityBody(activity, world.customer),
  });
}

/** In the shape of the published samples, parameters in no order of any use. */
export function activityBody({ time, uniqueQualifier, events }: EmulatedActivity, customerId: string) {
  return {
    kind: 'admin#reports#activity',
    id: { time: time.toISOString(), uniqueQualifier, applicationName: 'admin', customerId },
    etag: '"etag"',
    actor: { callerType: 'USER', email: 'admin@acme.com', profileId: '100000000000000000001' },
    ipAddress: '192.0.2.1',
    events: events.map((event) => ({ ...event, parameters: [...event.parameters].reverse() })),
  };
}
