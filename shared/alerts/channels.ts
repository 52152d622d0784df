import { Webhook } from 'standardwebhooks';
import { request } from 'undici';
import type { ChannelConfig } from '#shared/config/schema-notifications.js';
import { SendoffError } from '#shared/errors.js';
import type { SendGridClient } from '#shared/sendgrid/client.js';
import { sendMail } from '#shared/sendgrid/mail.js';
import type { Alert } from './alert.js';
import type { Message } from './message.js';

const timeoutMs = 10_000;

export interface Delivery {
  /** The same when a message is sent once more. */
  id: string;
  message: Message;
  alerts: readonly Alert[];
  at: Date;
}

/** Sends one message. @throws SendoffError CHANNEL_FAILED, and what the SendGrid client throws */
export async function send(
  name: string,
  channel: ChannelConfig,
  clients: ReadonlyMap<string, SendGridClient>,
  { id, message, alerts, at }: Delivery,
): Promise<void> {
  switch (channel.type) {
    case 'slack':
      return post(name, channel.token, {}, JSON.stringify({ text: slackText(message) }));
    case 'webhook': {
      const body = JSON.stringify({
        type: 'sendoff.alerts',
        timestamp: at.toISOString(),
        data: { subject: message.subject, alerts },
      });
      return post(name, channel.url, signed(channel.signingSecret, id, at, body), body);
    }
    case 'email': {
      const client = clients.get(channel.account);
      if (client === undefined) throw failed(name, `there is no account ${channel.account}`);
      return sendMail(client, { ...channel, subject: message.subject, text: message.lines.join('\n') });
    }
  }
}

/** https://www.standardwebhooks.com: the receiver proves by it that the message is ours and untouched. */
function signed(secret: string, id: string, at: Date, body: string): Record<string, string> {
  return {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
    'webhook-signature': new Webhook(secret).sign(id, at, body),
  };
}

/** Names come from outside: none of them may become a link or a mention (Slack's three control characters). */
function slackText({ subject, lines }: Message): string {
  return [`*${subject}*`, ...lines].join('\n').replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

async function post(name: string, url: string, headers: Record<string, string>, body: string): Promise<void> {
  const answer = await request(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'user-agent': 'sendoff', ...headers },
    body,
    signal: AbortSignal.timeout(timeoutMs),
  }).catch(() => {
    throw failed(name, 'it does not answer');
  });
  await answer.body.dump();
  if (answer.statusCode < 200 || answer.statusCode > 299) throw failed(name, `it answered ${answer.statusCode}`);
}

function failed(name: string, why: string): SendoffError {
  return new SendoffError(`notifications.${name} could not be told: ${why}`, {
    code: 'CHANNEL_FAILED',
    blame: 'remote',
    remedy: `check notifications.${name}, then \`sendoff alerts test ${name}\``,
  });
}
