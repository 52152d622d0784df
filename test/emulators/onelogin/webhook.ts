import { randomUUID } from 'node:crypto';
import type { EmulatedEvent } from './world.js';

/** The webhook's formats of the admin portal that Sendoff reads. */
export type WebhookFormat = 'json' | 'ndjson';

/** The same event as the webhook tells it: other names, another time, mostly null (idp-events.md §4.1). */
export function webhookEvent({ created_at, id: _, ...event }: EmulatedEvent): Record<string, unknown> {
  const uuid = randomUUID();
  return {
    create: { _id: uuid },
    uuid,
    event_timestamp: `${created_at.slice(0, 10)} ${created_at.slice(11, 19)} UTC`,
    actor_user_id: 32916209,
    actor_user_name: 'An Admin',
    actor_system: '',
    directory_id: null,
    policy_id: null,
    risk_score: null,
    notes: null,
    ...event,
    event_type_id: String(event.event_type_id),
  };
}

export function webhookBody(events: readonly unknown[], format: WebhookFormat): string {
  return format === 'json' ? JSON.stringify(events) : `${events.map((event) => JSON.stringify(event)).join('\n')}\n`;
}

/** Ten events a request, one attempt: nothing about retries is documented. @returns the last status */
export async function broadcast(
  hookUrl: string,
  authorization: string,
  events: readonly unknown[],
  format: WebhookFormat = 'json',
): Promise<number> {
  let status = 0;
  for (let from = 0; from < events.length; from += 10) {
    const response = await fetch(hookUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization },
      body: webhookBody(events.slice(from, from + 10), format),
    });
    await response.arrayBuffer();
    status = response.status;
  }
  return status;
}
