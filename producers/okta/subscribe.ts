import type { OktaSource } from '#shared/config/sources/okta.js';
import { DirectoryUnavailable } from '#shared/directory/directory.js';
import { createOktaClient, type OktaClient } from '#shared/directory/okta/client.js';
import type { SubscriptionContext, SubscriptionKeeper, SubscriptionState } from '../source.js';
import { hookTypes } from './event-types.js';
import { fingerprint, isFingerprintOf } from './fingerprint.js';
import { OktaEventHook } from './schema.js';

const kind = 'event-hook';
const path = '/api/v1/eventHooks';
const runEnsure = 'run `sendoff subscriptions ensure`';

/** The event hook at Okta: made, verified, and put right when somebody or something changed it (idp-events.md §1.1). */
export function eventHook(name: string, config: OktaSource, given?: OktaClient): SubscriptionKeeper {
  const types = hookTypes(config.app ?? null);
  const [secret = ''] = config.hookSecret;
  let made = given;
  const okta = (): OktaClient => {
    made ??= createOktaClient(name, config, { scopes: ['okta.eventHooks.manage'] });
    return made;
  };
  const at = (id: string, what = ''): string => `${path}/${encodeURIComponent(id)}${what}`;
  const change = async (method: 'POST' | 'PUT', where: string, body?: unknown): Promise<OktaEventHook> =>
    hookOf(name, await okta().send(method, where, body));

  /** The whole hook, secret included: replacing it makes it unverified, so it is done only when something differs. */
  const wanted = (hookUrl: string) => ({
    name: `Sendoff ${name}`,
    events: { type: 'EVENT_TYPE', items: types },
    channel: {
      type: 'HTTP',
      version: '1.0.0',
      config: { uri: hookUrl, headers: [], authScheme: { type: 'HEADER', key: 'Authorization', value: secret } },
    },
  });

  const put = async (found: OktaEventHook | null, { hookUrl, stored }: SubscriptionContext): Promise<OktaEventHook> => {
    if (found === null) return change('POST', path, wanted(hookUrl));
    const isOurs = await knowsSecret(stored[0]?.resourceId, secret, found);
    // Somebody who changed the secret at Okta left it unverified; and an unverified hook loses nothing by it.
    const isRight = isOurs && isVerified(found) && differences(found, hookUrl, types).length === 0;
    return isRight ? found : change('PUT', at(found.id), wanted(hookUrl));
  };

  /** @returns why Okta could not verify it; null when it did */
  const verify = async (id: string): Promise<string | null> => {
    try {
      await change('POST', at(id, '/lifecycle/verify'));
      return null;
    } catch (error) {
      if (!(error instanceof DirectoryUnavailable) || error.facts['status'] !== 400) throw error;
      return String(error.facts['summary'] ?? error.message).slice(0, 300);
    }
  };

  return {
    checkEveryMs: 10 * 60_000,
    async list(context) {
      const found = await find(okta(), name, context);
      const state = stateOf(found, context.hookUrl, types);
      if (found === null || (await knowsSecret(context.stored[0]?.resourceId, secret, found))) return [state];
      const why = context.stored.length === 0 ? 'made by hand' : 'changed since';
      return [{ ...state, detail: `${state.detail}; ${why}, so ensure gives it the configured secret anew` }];
    },
    async ensure(context) {
      const [known] = context.stored;
      const row = { kind, expiresAt: null };
      const { remoteId = null, resourceId = null } = known ?? {};
      // Known before it exists: it is kept alive even when we die before Okta has answered.
      const id = known?.id ?? (await context.save({ ...row, remoteId, resourceId, problem: 'not made yet' }));
      const before = await find(okta(), name, context);
      let hook = await put(before, context).catch((error: unknown) => {
        throw withoutSecrets(error, config.hookSecret);
      });
      if (hook.status !== 'ACTIVE') hook = await change('POST', at(hook.id, '/lifecycle/activate'));
      const problem = isVerified(hook) ? null : await verify(hook.id);
      hook = hookOf(name, await okta().get(at(hook.id)));
      const state = stateOf(hook, context.hookUrl, types, problem);
      await context.save({
        ...row,
        id,
        remoteId: hook.id,
        resourceId: await markOf(secret, hook),
        problem: state.state === 'active' ? null : state.detail,
      });
      return [state];
    },
    async remove(context) {
      const hook = await find(okta(), name, context);
      if (hook !== null) {
        if (hook.status === 'ACTIVE') await okta().send('POST', at(hook.id, '/lifecycle/deactivate'));
        await okta().send('DELETE', at(hook.id));
      }
      for (const row of context.stored) await context.forget(row.id);
      return hook === null ? 0 : 1;
    },
  };
}

/** Ours is the one that we made, or else the one that sends to us. */
async function find(
  okta: OktaClient,
  name: string,
  { hookUrl, stored }: SubscriptionContext,
): Promise<OktaEventHook | null> {
  const answer = await okta.get(path);
  if (!Array.isArray(answer)) throw unclear(name);
  const hooks = answer.flatMap((item) => OktaEventHook.safeParse(item).data ?? []);
  const ids = new Set(stored.map(({ remoteId }) => remoteId));
  return hooks.find(({ id }) => ids.has(id)) ?? hooks.find(({ channel }) => channel.config.uri === hookUrl) ?? null;
}

function stateOf(
  hook: OktaEventHook | null,
  hookUrl: string,
  types: string[],
  problem: string | null = null,
): SubscriptionState {
  if (hook === null) {
    const detail = 'there is no event hook that sends here';
    return { kind, remoteId: null, state: 'missing', expiresAt: null, detail, remedy: runEnsure };
  }
  const common = { kind, remoteId: hook.id, expiresAt: null };
  if (hook.status !== 'ACTIVE') {
    return { ...common, state: 'inactive', detail: 'Okta has switched it off', remedy: runEnsure };
  }
  if (!isVerified(hook)) {
    const detail = problem === null ? 'Okta sends nothing to it' : `Okta could not verify it: ${problem}`;
    const remedy = `make ${hookUrl} answer from the internet over https within 3 s, then ${runEnsure}`;
    return { ...common, state: 'unverified', detail, remedy };
  }
  const differs = differences(hook, hookUrl, types);
  const detail = differs.length === 0 ? `tells of ${types.length} event types` : `${differs.join('; ')}: ${runEnsure}`;
  return { ...common, state: 'active', detail, remedy: '' };
}

function differences({ channel, events }: OktaEventHook, hookUrl: string, types: string[]): string[] {
  const { uri, authScheme } = channel.config;
  const missing = types.filter((type) => !events.items.includes(type));
  const more = events.items.filter((type) => !types.includes(type));
  const isHeader = authScheme?.type === 'HEADER' && authScheme.key?.toLowerCase() === 'authorization';
  return [
    ...(uri === hookUrl || !URL.canParse(hookUrl) ? [] : [`it sends to ${uri}`]),
    ...(isHeader ? [] : ['it sends no Authorization header']),
    ...(missing.length === 0 ? [] : [`it does not tell of ${missing.join(', ')}`]),
    ...(more.length === 0 ? [] : [`it tells of ${more.join(', ')} in vain`]),
  ];
}

function isVerified({ verificationStatus }: OktaEventHook): boolean {
  return verificationStatus === 'VERIFIED';
}

/** What the secret can't be read back for: was it this one that we gave, and has nobody touched the hook since? */
async function markOf(secret: string, { lastUpdated }: OktaEventHook): Promise<string> {
  return `${await fingerprint(secret)} ${lastUpdated ?? ''}`;
}

async function knowsSecret(
  mark: string | null | undefined,
  secret: string,
  { lastUpdated }: OktaEventHook,
): Promise<boolean> {
  const [print = '', time = ''] = (mark ?? '').split(' ');
  return time === (lastUpdated ?? '') && (await isFingerprintOf(print, secret));
}

function hookOf(name: string, answer: unknown): OktaEventHook {
  const hook = OktaEventHook.safeParse(answer).data;
  if (hook === undefined) throw unclear(name);
  return hook;
}

function unclear(name: string): DirectoryUnavailable {
  return new DirectoryUnavailable(`${name} gave no clear answer about its event hooks`, 30_000, {
    code: 'DIRECTORY_UNCLEAR',
    blame: 'remote',
  });
}

/** Okta says what it did not like about a hook, which may be quoted with what we sent. */
function withoutSecrets(error: unknown, secrets: readonly string[]): unknown {
  if (!(error instanceof DirectoryUnavailable) || typeof error.facts['summary'] !== 'string') return error;
  const summary = secrets.reduce((text, secret) => text.replaceAll(secret, '***'), error.facts['summary']);
  return new DirectoryUnavailable(`${error.message}: ${summary.slice(0, 300)}`, error.delayMs, {
    code: error.code,
    blame: error.blame,
  });
}
