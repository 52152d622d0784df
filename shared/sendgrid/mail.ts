import type { SendGridClient } from './client.js';

export interface Mail {
  from: string;
  to: readonly string[];
  subject: string;
  text: string;
}

/** Sends a plain text through the account (sendgrid.md §2, mail/send); links and opens are not tracked. @throws errors.ts */
export async function sendMail(client: SendGridClient, { from, to, subject, text }: Mail): Promise<void> {
  await client.call({
    method: 'POST',
    path: '/v3/mail/send',
    body: {
      personalizations: [{ to: to.map((email) => ({ email })) }],
      from: { email: from, name: 'Sendoff' },
      subject,
      content: [{ type: 'text/plain', value: text }],
      tracking_settings: {
        click_tracking: { enable: false, enable_text: false },
        open_tracking: { enable: false },
      },
    },
    answer: null,
  });
}
