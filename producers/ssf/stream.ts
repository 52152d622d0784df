import type { SsfSource } from '#shared/config/sources/ssf.js';
import { unavailable } from './http.js';
import { type Metadata, Stream } from './schema.js';
import type { Transmitter } from './transmitter.js';

export const methods = { push: 'urn:ietf:rfc:8935', poll: 'urn:ietf:rfc:8936' } as const;

/** How a stream of ours is told from others of the same transmitter. */
export interface Ours {
  delivery: SsfSource['delivery'];
  audience: readonly string[];
  /** Where it sends to, if it pushes. */
  hookUrl: string | null;
}

/** The stream that is ours; null: there is none, or the transmitter has no API to ask. */
export async function findStream(
  transmitter: Transmitter,
  ours: Ours,
  streamId: string | null,
): Promise<Stream | null> {
  const { configuration_endpoint: url } = await transmitter.metadata();
  if (url === undefined) return null;
  if (streamId !== null) {
    const reply = await transmitter.call({ method: 'GET', url: about(url, streamId) }, [200, 404]);
    if (reply.status === 200) return readStream(reply.body, url);
  }
  return (await streamsAt(transmitter, url)).find((stream) => isOurs(stream, ours)) ?? null;
}

/** What a stream is to be like. */
export interface Wish {
  delivery: { method: string; endpoint_url?: string; authorization_header?: string };
  events_requested: string[];
}

/** A transmitter that allows one stream only says 409: then that one becomes ours. */
export async function createStream(transmitter: Transmitter, wish: Wish): Promise<Stream> {
  const url = endpoint(await transmitter.metadata(), 'configuration_endpoint');
  const body = { ...wish, description: 'Sendoff' };
  const reply = await transmitter.call({ method: 'POST', url, body }, [200, 201, 409]);
  if (reply.status !== 409) return readStream(reply.body, url);
  const streams = await streamsAt(transmitter, url);
  const [only] = streams;
  if (only !== undefined && streams.length === 1) return only;
  throw unavailable(`${new URL(url).host} takes no more streams and has ${streams.length}: remove one there`);
}

/** Writes what differs. A token that is not shown may differ, so it is always written. */
export async function repairStream(transmitter: Transmitter, stream: Stream, wish: Wish): Promise<Stream> {
  const { delivery = {}, events_requested: requested = [] } = stream;
  const isRight =
    Object.entries(wish.delivery).every(([key, value]) => delivery[key as keyof typeof delivery] === value) &&
    requested.length === wish.events_requested.length &&
    wish.events_requested.every((type) => requested.includes(type));
  if (isRight) return stream;
  const url = endpoint(await transmitter.metadata(), 'configuration_endpoint');
  const body = { stream_id: stream.stream_id, ...wish };
  const patched = await transmitter.call({ method: 'PATCH', url, body }, [200, 202, 404, 405, 501]);
  if (patched.status === 200) return readStream(patched.body, url);
  if (patched.status === 202) return stream;
  const put = await transmitter.call({ method: 'PUT', url, body: { ...body, description: 'Sendoff' } }, [200, 202]);
  return put.status === 200 ? readStream(put.body, url) : stream;
}

async function streamsAt(transmitter: Transmitter, url: string): Promise<Stream[]> {
  const reply = await transmitter.call({ method: 'GET', url }, [200, 404]);
  if (reply.status === 404) return [];
  // The first draft knew one stream only, and gives it alone.
  return (Array.isArray(reply.body) ? reply.body : [reply.body]).map((one) => readStream(one, url));
}

function isOurs({ delivery, aud }: Stream, ours: Ours): boolean {
  if (delivery?.method !== methods[ours.delivery]) return false;
  if (ours.delivery === 'push') return delivery.endpoint_url === ours.hookUrl;
  return aud === undefined || aud.some((one) => ours.audience.includes(one));
}

function readStream(body: unknown, url: string): Stream {
  const read = Stream.safeParse(body);
  if (read.success) return read.data;
  throw unavailable(`${new URL(url).host} described a stream in a way that is not understood`);
}

/** An endpoint of a stream, by its id. */
export function about(url: string, streamId: string): string {
  const address = new URL(url);
  address.searchParams.set('stream_id', streamId);
  return address.href;
}

export function endpoint(metadata: Metadata, name: 'configuration_endpoint' | 'status_endpoint'): string {
  const url = metadata[name];
  if (url !== undefined) return url;
  throw unavailable(`${metadata.issuer} has no ${name}: make the stream by hand there`);
}
