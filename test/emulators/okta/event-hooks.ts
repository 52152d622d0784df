import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Answer, Request } from '../http.js';
import { invalid, missing } from './answers.js';

const Channel = z.object({
  type: z.literal('HTTP'),
  version: z.literal('1.0.0'),
  config: z.object({
    uri: z.url(),
    headers: z.array(z.object({ key: z.string(), value: z.string() })).optional(),
    authScheme: z.object({ type: z.literal('HEADER'), key: z.string().min(1), value: z.string().min(1) }),
  }),
});
const Wanted = z.object({
  name: z.string().min(1),
  events: z.object({ type: z.literal('EVENT_TYPE'), items: z.array(z.string()).min(1).max(300) }),
  channel: Channel,
});

export interface EmulatedHook extends z.infer<typeof Wanted> {
  id: string;
  status: 'ACTIVE' | 'INACTIVE';
  verificationStatus: 'VERIFIED' | 'UNVERIFIED';
  created: string;
  lastUpdated: string;
}

export interface EventHooks {
  hooks: Map<string, EmulatedHook>;
  /** As an administrator in the console: a new secret or address makes it unverified. */
  edit(id: string, change: { secret?: string; uri?: string; status?: EmulatedHook['status']; items?: string[] }): void;
  route(request: Request, id: string | undefined, what: string | undefined): Answer | Promise<Answer>;
}

/** Some of those that Okta's hooks never carry (idp-events.md §1.4). */
const neverCarried =
  /^(event_hook\.|system\.import\.|user\.account\.update_(primary|secondary)_email|user\.lifecycle\.delete\.completed)/;

/** Event hooks with their handshake; a secret goes in and never comes out (idp-events.md §1.1, §1.2). */
export function createEventHooks(url: () => string): EventHooks {
  const hooks = new Map<string, EmulatedHook>();
  let changes = 0;
  // Two changes are never at the same moment.
  const touch = (hook: EmulatedHook): EmulatedHook => {
    changes += 1;
    hook.lastUpdated = new Date(Date.now() + changes).toISOString();
    return hook;
  };

  const save = (body: unknown, old: EmulatedHook | null): Answer => {
    const wanted = Wanted.safeParse(body);
    if (!wanted.success) return invalid('E0000001', `Api validation failed: ${wanted.error.issues[0]?.path.join('.')}`);
    const { data } = wanted;
    const never = data.events.items.find((type) => neverCarried.test(type));
    if (never !== undefined) return invalid('E0000001', `Api validation failed: ${never} is no event hook event`);
    const { protocol, hostname } = new URL(data.channel.config.uri);
    if (protocol !== 'https:' && hostname !== '127.0.0.1') return invalid('E0000001', 'Api validation failed: uri');
    if (old === null && [...hooks.values()].filter((one) => one.status === 'ACTIVE').length >= 25) {
      return invalid('E0000001', 'Api validation failed: the maximum of active event hooks is reached');
    }
    const now = new Date().toISOString();
    const hook: EmulatedHook = {
      id: old?.id ?? `who${randomUUID().slice(0, 17)}`,
      status: old?.status ?? 'ACTIVE',
      created: old?.created ?? now,
      lastUpdated: now,
      ...data,
      verificationStatus: 'UNVERIFIED',
    };
    hooks.set(hook.id, touch(hook));
    return { status: 200, body: toBody(hook, url()) };
  };

  const lifecycle = async (hook: EmulatedHook, what: string | undefined): Promise<Answer> => {
    if (what === 'activate') hook.status = 'ACTIVE';
    else if (what === 'deactivate') hook.status = 'INACTIVE';
    else if (what !== 'verify') return missing(what ?? '');
    else if (await answersChallenge(hook.channel.config.uri)) hook.verificationStatus = 'VERIFIED';
    else return invalid('E0000001', 'Api validation failed: the endpoint did not answer the verification request');
    return { status: 200, body: toBody(touch(hook), url()) };
  };

  return {
    hooks,
    edit(id, { secret, uri, status, items }) {
      const hook = hooks.get(id);
      if (hook === undefined) throw new Error(`the emulator has no hook ${id}`);
      const { config } = hook.channel;
      if (secret !== undefined) config.authScheme.value = secret;
      if (uri !== undefined) config.uri = uri;
      if (status !== undefined) hook.status = status;
      if (items !== undefined) hook.events.items = items;
      if (secret !== undefined || uri !== undefined) hook.verificationStatus = 'UNVERIFIED';
      touch(hook);
    },
    route(request, id, what) {
      const { method, body, path } = request;
      if (id === undefined) {
        if (method === 'GET') return { status: 200, body: [...hooks.values()].map((hook) => toBody(hook, url())) };
        return method === 'POST' ? save(body, null) : missing(path);
      }
      const hook = hooks.get(id);
      if (hook === undefined) return missing(`${id} (EventHook)`);
      if (method === 'POST') return lifecycle(hook, what);
      if (method === 'PUT') return save(body, hook);
      if (method === 'GET') return { status: 200, body: toBody(hook, url()) };
      if (hook.status === 'ACTIVE') return invalid('E0000001', 'Api validation failed: the hook is active');
      hooks.delete(id);
      return { status: 204 };
    },
  };
}

function toBody({ channel, ...hook }: EmulatedHook, url: string) {
  const { uri, headers = [], authScheme } = channel.config;
  const config = { uri, headers, method: 'POST', authScheme: { type: 'HEADER', key: authScheme.key.toLowerCase() } };
  return {
    ...hook,
    description: null,
    createdBy: '00uadmin',
    channel: { ...channel, config },
    _links: { self: { href: `${url}/api/v1/eventHooks/${hook.id}` } },
  };
}

/** One GET, three seconds, one retry. */
async function answersChallenge(uri: string): Promise<boolean> {
  for (let attempt = 0; attempt < 2; attempt += 1) {
    const challenge = randomUUID();
    try {
      const headers = { accept: '*/*', 'x-okta-verification-challenge': challenge };
      const response = await fetch(uri, { headers, signal: AbortSignal.timeout(3_000) });
      const body = (await response.json()) as { verification?: unknown };
      if (response.status === 200 && body.verification === challenge) return true;
    } catch {
      // It is asked once more.
    }
  }
  return false;
}
