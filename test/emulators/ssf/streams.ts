import { randomUUID } from 'node:crypto';
import { decodeJwt } from 'jose';
import type { Answer, Request } from '../http.js';

const methods = { push: 'urn:ietf:rfc:8935', poll: 'urn:ietf:rfc:8936' };

export interface EmulatedStream {
  stream_id: string;
  delivery: { method: string; endpoint_url: string; authorization_header?: string };
  events_requested: string[];
  status: 'enabled' | 'paused' | 'disabled';
  reason: string | null;
  isPoll: boolean;
  /** jti -> SET, until acknowledged. */
  unacked: Map<string, string>;
  acked: string[];
  setErrs: Record<string, { err: string; description: string }>;
  put(set: string): void;
  lastPush: { status: number; body: unknown } | null;
  verifiedAt: number;
}

export interface Streams {
  all: Map<string, EmulatedStream>;
  limits: {
    /** Streams of one receiver. */
    streams: number;
    /** Seconds. */
    verificationInterval: number;
    /** Some transmitters know PUT only. */
    patch: boolean;
    /** May the receiver set the status? */
    setStatus: boolean;
    /** Is authorization_header shown to who reads the stream? */
    showHeader: boolean;
  };
  route(request: Request): Promise<Answer>;
}

interface Setting {
  url: string;
  audience: string;
  supported: string[];
  now(): number;
  verify(stream: EmulatedStream, state: string | undefined): Promise<void>;
}

/** The management API and the poll endpoint of a transmitter (idp-events.md §6.2, §6.3). */
export function createStreams(setting: Setting): Streams {
  const streams: Streams = {
    all: new Map(),
    limits: { streams: 10, verificationInterval: 0, patch: true, setStatus: true, showHeader: false },
    async route(request) {
      const [, , noun, id] = request.path.split('/');
      if (noun === 'stream') return streamRoute(request, streams, setting);
      if (noun === 'status') return statusRoute(request, streams);
      if (noun === 'verify') return verifyRoute(request, streams, setting);
      if (noun === 'poll') return pollRoute(request, streams.all.get(id ?? ''));
      return { status: 404 };
    },
  };
  return streams;
}

function streamRoute({ method, query, body }: Request, streams: Streams, setting: Setting): Answer {
  const { all, limits } = streams;
  const given = (body ?? {}) as Partial<EmulatedStream>;
  const id = query.get('stream_id') ?? given.stream_id ?? null;
  const stream = all.get(id ?? '');
  const show = (one: EmulatedStream) => shown(one, setting, limits);
  if (method === 'POST') {
    if (all.size >= limits.streams) return { status: 409 };
    const created = newStream(setting.url);
    write(created, given, setting.url);
    all.set(created.stream_id, created);
    return { status: 201, body: show(created) };
  }
  if (method === 'GET' && id === null) return { status: 200, body: [...all.values()].map(show) };
  if (stream === undefined) return { status: 404 };
  if (method === 'GET') return { status: 200, body: show(stream) };
  if (method === 'DELETE') {
    all.delete(stream.stream_id);
    return { status: 204 };
  }
  if (method === 'PUT' || (method === 'PATCH' && limits.patch)) {
    write(stream, given, setting.url);
    return { status: 200, body: show(stream) };
  }
  return { status: 405 };
}

function statusRoute({ method, query, body }: Request, { all, limits }: Streams): Answer {
  const given = (body ?? {}) as { stream_id?: string; status?: EmulatedStream['status'] };
  const stream = all.get(query.get('stream_id') ?? given.stream_id ?? '');
  if (stream === undefined) return { status: 404 };
  if (method === 'POST') {
    if (!limits.setStatus) return { status: 403 };
    stream.status = given.status ?? stream.status;
  }
  const { stream_id, status, reason } = stream;
  return { status: 200, body: { stream_id, status, ...(reason === null ? {} : { reason }) } };
}

async function verifyRoute({ body }: Request, { all, limits }: Streams, setting: Setting): Promise<Answer> {
  const { stream_id = '', state } = (body ?? {}) as { stream_id?: string; state?: string };
  const stream = all.get(stream_id);
  if (stream === undefined) return { status: 404 };
  const left = stream.verifiedAt + limits.verificationInterval - setting.now();
  if (left > 0) return { status: 429, headers: { 'retry-after': String(Math.ceil(left)) } };
  stream.verifiedAt = setting.now();
  await setting.verify(stream, state);
  return { status: 204 };
}

function pollRoute({ method, body }: Request, stream: EmulatedStream | undefined): Answer {
  if (stream === undefined || !stream.isPoll || method !== 'POST') return { status: 404 };
  const {
    maxEvents = 10,
    ack = [],
    setErrs = {},
  } = (body ?? {}) as {
    maxEvents?: number;
    ack?: string[];
    setErrs?: EmulatedStream['setErrs'];
  };
  for (const jti of ack) if (stream.unacked.delete(jti)) stream.acked.push(jti);
  for (const [jti, error] of Object.entries(setErrs)) {
    stream.unacked.delete(jti);
    stream.setErrs[jti] = error;
  }
  const sets = stream.status === 'enabled' ? [...stream.unacked] : [];
  return {
    status: 200,
    body: { sets: Object.fromEntries(sets.slice(0, maxEvents)), moreAvailable: sets.length > maxEvents },
  };
}

function newStream(url: string): EmulatedStream {
  const stream: EmulatedStream = {
    stream_id: randomUUID().replaceAll('-', ''),
    delivery: { method: methods.poll, endpoint_url: url },
    events_requested: [],
    status: 'enabled',
    reason: null,
    isPoll: true,
    unacked: new Map(),
    acked: [],
    setErrs: {},
    put: (set) => void stream.unacked.set(String(decodeJwt(set).jti), set),
    lastPush: null,
    verifiedAt: Number.NEGATIVE_INFINITY,
  };
  return stream;
}

/** Of a polled stream the transmitter says where, whatever the receiver writes. */
function write(stream: EmulatedStream, { delivery, events_requested }: Partial<EmulatedStream>, url: string): void {
  stream.events_requested = events_requested ?? stream.events_requested;
  if (delivery === undefined) return;
  stream.isPoll = delivery.method === methods.poll;
  stream.delivery = stream.isPoll
    ? { method: methods.poll, endpoint_url: `${url}/ssf/poll/${stream.stream_id}` }
    : { ...delivery };
}

function shown(stream: EmulatedStream, { url, audience, supported }: Setting, limits: Streams['limits']) {
  const { authorization_header, ...delivery } = stream.delivery;
  const header = limits.showHeader && authorization_header !== undefined ? { authorization_header } : {};
  return {
    stream_id: stream.stream_id,
    iss: url,
    aud: [audience],
    delivery: { ...delivery, ...header },
    events_supported: supported,
    events_requested: stream.events_requested,
    events_delivered: stream.events_requested.filter((type) => supported.includes(type)),
    min_verification_interval: limits.verificationInterval,
  };
}
