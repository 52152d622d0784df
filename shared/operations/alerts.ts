import { randomUUID } from 'node:crypto';
import type { Alert } from '#shared/alerts/alert.js';
import { send } from '#shared/alerts/channels.js';
import { messageOf as digestOf } from '#shared/alerts/message.js';
import { appendAudit } from '#shared/audit/append.js';
import type { Config } from '#shared/config/schema.js';
import { messageOf, SendoffError } from '#shared/errors.js';
import type { SendGridClient } from '#shared/sendgrid/client.js';
import type { Db } from '#shared/store/database.js';

const testAlert: Alert = { key: 'test', kind: 'hold', title: 'This is a test: nothing waits for you', remedy: '' };

export interface TestOutcome {
  channel: string;
  ok: boolean;
  error: string | null;
}

/**
 * Sends a test message to one channel, or to all of them. It says nothing of what was told, or is still to be told.
 * @throws SendoffError CHANNEL_UNKNOWN
 */
export async function testChannels(
  db: Db,
  { notifications, publicUrl }: Pick<Config, 'notifications' | 'publicUrl'>,
  clients: ReadonlyMap<string, SendGridClient>,
  { channel, by }: { channel?: string | undefined; by: string },
): Promise<TestOutcome[]> {
  const wanted = Object.entries(notifications).filter(([name]) => channel === undefined || name === channel);
  if (wanted.length === 0) {
    throw new SendoffError(channel === undefined ? 'no notifications are configured' : `there is no ${channel}`, {
      code: 'CHANNEL_UNKNOWN',
      blame: 'input',
      remedy: `add it under notifications in sendoff.yaml; there is ${Object.keys(notifications).join(', ') || 'none'}`,
    });
  }
  const outcomes = await Promise.all(
    wanted.map(async ([name, one]) => {
      const message = digestOf([testAlert], publicUrl ?? null);
      const delivery = { id: `msg_${randomUUID()}`, message, alerts: [testAlert], at: new Date() };
      const error = await send(name, one, clients, delivery).then(() => null, messageOf);
      return { channel: name, ok: error === null, error };
    }),
  );
  const detail = { told: namesOf(outcomes, true), failed: namesOf(outcomes, false) };
  await appendAudit(db, { kind: 'alerts.tested', actor: by, detail });
  return outcomes;
}

function namesOf(outcomes: TestOutcome[], ok: boolean): string[] {
  return outcomes.filter((one) => one.ok === ok).map(({ channel }) => channel);
}
