import { createHmac, createPrivateKey, generateKeyPairSync, randomBytes, randomUUID, sign } from 'node:crypto';

/** A signing key of the sender, and what the receiver is given of it. */
export interface SigningKey {
  /** `whsec_…` or `whpk_…`, for the receiver's configuration. */
  shared: string;
  /** `v1,…` or `v1a,…` over the text that is signed. */
  sign(text: Buffer): string;
}

/** HMAC-SHA256 with 32 random bytes, or those given. */
export function hmacKey(secret = `whsec_${randomBytes(32).toString('base64')}`): SigningKey {
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
  return { shared: secret, sign: (text) => `v1,${createHmac('sha256', key).update(text).digest('base64')}` };
}

export function ed25519Key(): SigningKey {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519', {
    privateKeyEncoding: { format: 'pem', type: 'pkcs8' },
    publicKeyEncoding: { format: 'jwk' } as never,
  });
  const { x } = publicKey as unknown as { x: string };
  return {
    shared: `whpk_${Buffer.from(x, 'base64url').toString('base64')}`,
    sign: (text) => `v1a,${sign(null, text, createPrivateKey(privateKey)).toString('base64')}`,
  };
}

export interface Message {
  id: string;
  body: Buffer;
}

/** The headers of one attempt: signed by every key, anew each time (idp-events.md §7). */
export function signedHeaders(
  { id, body }: Message,
  keys: readonly SigningKey[],
  at = new Date(),
): Record<string, string> {
  const timestamp = String(Math.floor(at.getTime() / 1_000));
  const text = Buffer.concat([Buffer.from(`${id}.${timestamp}.`), body]);
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': keys.map((key) => key.sign(text)).join(' '),
  };
}

/** A system that sends webhooks by the Standard Webhooks specification. It signs by itself, without the package. */
export interface WebhookSender {
  /** Keys that sign: two while rotating. */
  keys: SigningKey[];
  /** A 410 ends it: nothing is sent any more. */
  disabled: boolean;
  /** Puts a message into the queue. @returns its id, which stays the same over all attempts */
  queue(payload: unknown): string;
  /** Sends the queue: each once unless `times` says otherwise; what is answered by no 2xx is tried again, thrice. */
  flush(url: string, times?: (index: number) => number): Promise<number[]>;
  /** One attempt of one message. @returns the HTTP status, 0 for none */
  attempt(url: string, message: Message): Promise<number>;
}

export function createWebhookSender(keys: SigningKey[] = [hmacKey()]): WebhookSender {
  let waiting: Message[] = [];
  const sender: WebhookSender = {
    keys,
    disabled: false,
    queue(payload) {
      const message = { id: `msg_${randomUUID().replaceAll('-', '')}`, body: Buffer.from(JSON.stringify(payload)) };
      waiting.push(message);
      return message.id;
    },
    async flush(url, times = () => 1) {
      const messages = waiting;
      waiting = [];
      const statuses: number[] = [];
      for (const [index, message] of messages.entries()) {
        for (let turn = 0; turn < times(index); turn += 1) statuses.push(await delivered(sender, url, message));
      }
      return statuses;
    },
    async attempt(url, message) {
      try {
        const response = await fetch(url, {
          method: 'POST',
          redirect: 'manual',
          headers: { 'content-type': 'application/json', ...signedHeaders(message, sender.keys) },
          body: new Uint8Array(message.body),
          signal: AbortSignal.timeout(15_000),
        });
        await response.arrayBuffer();
        if (response.status === 410) sender.disabled = true;
        return response.status;
      } catch {
        return 0;
      }
    },
  };
  return sender;
}

/** The schedule of the specification begins at once and ends after days; here its first three attempts follow at once. */
async function delivered(sender: WebhookSender, url: string, message: Message): Promise<number> {
  let status = 0;
  for (let attempt = 0; attempt < 3 && !sender.disabled; attempt += 1) {
    status = await sender.attempt(url, message);
    if (status >= 200 && status < 300) break;
  }
  return status;
}
