import { randomBytes } from 'node:crypto';
import type { Answer, Request } from '../http.js';
import { wrongScope } from './directory.js';
import { type Change, type GoogleWorld, googleError, notFound } from './world.js';

const longestLifeMs = 6 * 60 * 60_000;
const retried = new Set([500, 502, 503, 504]);

export interface EmulatedChannel {
  id: string;
  resourceId: string;
  address: string;
  token: string | null;
  /** null: every event. */
  event: string | null;
  expiration: Date;
  uri: string;
  messages: number;
}

export interface Channels {
  open: Map<string, EmulatedChannel>;
  /** `users.watch` only with an event; whether the real one insists is not documented. */
  wantsEvent: boolean;
  watch(request: Request, world: GoogleWorld): Promise<Answer>;
  stop(request: Request): Answer;
  /** Sends what changed to every channel; a refusal other than 500, 502, 503 and 504 is final. @returns last statuses */
  deliver(world: GoogleWorld, times?: (index: number) => number): Promise<number[]>;
  /** Statuses that `sync` messages were answered with. */
  syncs: number[];
}

export function createChannels(): Channels {
  const open = new Map<string, EmulatedChannel>();
  const channels: Channels = {
    open,
    wantsEvent: false,
    syncs: [],
    async watch({ body, query, path }, world) {
      const bad = wrongScope(query, world);
      if (bad !== null) return bad;
      const event = query.get('event');
      if (channels.wantsEvent && event === null) return googleError(400, 'required', 'Required parameter: event');
      const asked = (body ?? {}) as Record<string, unknown> & { params?: { ttl?: string } };
      const { id, address, token } = asked as { id: string; address: string; token?: string };
      if (asked.type !== 'web_hook' || !/^[\w-]{1,64}$/.test(id)) return googleError(400, 'invalid', 'Invalid channel');
      if ((token ?? '').length > 256) return googleError(400, 'invalid', 'Invalid token');
      if (open.has(id)) return googleError(400, 'channelIdNotUnique', `Channel id ${id} not unique`);
      if (!/^https:|^http:\/\/127\.0\.0\.1/.test(address)) {
        return googleError(400, 'push.webhookUrlNotHttps', 'WebHook callback must be HTTPS');
      }
      const life = Math.min(Number(asked.params?.ttl ?? 6 * 60 * 60) * 1_000, longestLifeMs);
      const channel: EmulatedChannel = {
        id,
        resourceId: randomBytes(16).toString('base64url'),
        address,
        token: token ?? null,
        event,
        expiration: new Date(world.now().getTime() + life),
        uri: `https://admin.googleapis.com${path.replace(/\/watch$/, '')}?${query}&alt=json`,
        messages: 1,
      };
      open.set(id, channel);
      // `sync` comes before the answer: who is told of the channel only by the answer does not know it yet.
      channels.syncs.push(await post(channel, { 'X-Goog-Resource-State': 'sync', 'X-Goog-Message-Number': '1' }, null));
      const { resourceId, uri, expiration } = channel;
      const answer = { kind: 'api#channel', id, resourceId, resourceUri: uri, token };
      return { status: 200, body: { ...answer, expiration: String(+expiration) } };
    },
    stop({ body }) {
      const { id, resourceId } = (body ?? {}) as { id?: string; resourceId?: string };
      const channel = open.get(id ?? '');
      if (channel === undefined || channel.resourceId !== resourceId) return notFound('channel');
      open.delete(channel.id);
      return { status: 204 };
    },
    async deliver(world, times = () => 1) {
      const statuses: number[] = [];
      for (const [index, change] of world.changes.splice(0).entries()) {
        for (const channel of [...open.values()]) {
          if (channel.expiration <= world.now()) open.delete(channel.id);
          else if (channel.event === null || channel.event === change.event) {
            const message = messageOf(channel, change);
            for (let time = 0; time < times(index); time += 1) statuses.push(await send(channel, message));
          }
        }
      }
      return statuses;
    },
  };
  return channels;
}

interface Message {
  headers: Record<string, string>;
  body: unknown;
}

/** Numbers rise, with gaps. */
function messageOf(channel: EmulatedChannel, { event, user }: Change): Message {
  channel.messages += 1 + Math.floor(Math.random() * 1_000);
  return {
    headers: { 'X-Goog-Resource-State': event, 'X-Goog-Message-Number': String(channel.messages) },
    body: { kind: 'admin#directory#user', id: user.id, etag: '"etag"', primaryEmail: user.primaryEmail },
  };
}

async function send(channel: EmulatedChannel, { headers, body }: Message): Promise<number> {
  let status = 0;
  for (let attempt = 0; attempt < 4; attempt += 1) {
    status = await post(channel, headers, body);
    if (!retried.has(status)) break;
    await new Promise((resolve) => setTimeout(resolve, 50 * 2 ** attempt));
  }
  return status;
}

/** `application/json; utf-8` is what Google really sends, and no content type. */
async function post(channel: EmulatedChannel, headers: Record<string, string>, body: unknown): Promise<number> {
  const response = await fetch(channel.address, {
    method: 'POST',
    headers: {
      ...(body === null ? {} : { 'Content-Type': 'application/json; utf-8' }),
      'X-Goog-Channel-ID': channel.id,
      ...(channel.token === null ? {} : { 'X-Goog-Channel-Token': channel.token }),
      'X-Goog-Channel-Expiration': channel.expiration.toUTCString(),
      'X-Goog-Resource-ID': channel.resourceId,
      'X-Goog-Resource-URI': channel.uri,
      ...headers,
    },
    ...(body === null ? {} : { body: JSON.stringify(body) }),
  }).catch(() => null);
  await response?.arrayBuffer();
  return response?.status ?? 0;
}
