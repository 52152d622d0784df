import { randomUUID } from 'node:crypto';
import { send } from '#shared/alerts/channels.js';
import { messageOf as digestOf } from '#shared/alerts/message.js';
import type { Config } from '#shared/config/schema.js';
import { messageOf, SendoffError } from '#shared/errors.js';
import type { SendGridClient } from '#shared/sendgrid/client.js';

const alert = { key: 'test', kind: 'hold' as const, title: 'This is a test: nothing waits for you', remedy: '' };

export interface ChannelTold {
  channel: string;
  ok: boolean;
  /** Why it could not be told. */
  error: string | null;
}

/**
 * Sends a test message.
 * @param channel a name under `notifications`; undefined: all of them
 * @throws SendoffError CHANNEL_UNKNOWN
 */
export async function testChannels(
  { notifications, publicUrl }: Config,
  clients: ReadonlyMap<string, SendGridClient>,
  channel: string | undefined,
): Promise<ChannelTold[]> {
  const wanted = Object.entries(notifications).filter(([name]) => channel === undefined || name === channel);
  if (wanted.length === 0) {
    throw new SendoffError(channel === undefined ? 'no notifications are configured' : `there is no ${channel}`, {
      code: 'CHANNEL_UNKNOWN',
      blame: 'input',
      remedy: `add it under notifications in sendoff.yaml; there is ${Object.keys(notifications).join(', ') || 'none'}`,
    });
  }
  return Promise.all(
    wanted.map(async ([name, one]) => {
      const delivery = {
        id: `msg_${randomUUID()}`,
        message: digestOf([alert], publicUrl ?? null),
        alerts: [alert],
        at: new Date(),
      };
      const error = await send(name, one, clients, delivery).then(() => null, messageOf);
      return { channel: name, ok: error === null, error };
    }),
  );
}
