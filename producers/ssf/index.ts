import type { SsfSource } from '#shared/config/sources/ssf.js';
import { type HookRequest, type Source, type SourceTools, subscriptionsTask } from '../source.js';
import { unreadable } from '../untrusted.js';
import { readKept } from './kept.js';
import { keysOf } from './keys.js';
import { normalize, type Reading } from './normalize.js';
import { pollStream } from './poll.js';
import { streamKeeper } from './subscribe.js';
import { createTransmitter } from './transmitter.js';
import { type Expected, streamUpdatedType, type VerifiedSet, verifyPush, verifySet } from './verify.js';

/** A transmitter of Shared Signals: SETs by push (RFC 8935) or poll (RFC 8936). Pushes are taken either way. */
export function ssfSource(_name: string, config: SsfSource, tools: SourceTools): Omit<Source, 'name'> {
  const { issuer, audience, events, delivery } = config;
  const transmitter = createTransmitter(config);
  const isManaged = config.token !== undefined || config.clientId !== undefined;
  // Only what verify let through is ever read, and only as verify read it.
  const proven = new WeakMap<HookRequest, VerifiedSet>();
  let reading: Reading = {
    issuer,
    events,
    hasIds: config.ids !== undefined,
    tenant: config.tenant ?? null,
    critical: [],
  };

  const expected: Expected = {
    issuer,
    audience,
    streamAudience: async () =>
      isManaged ? (await tools.subscriptions(() => true)).flatMap((row) => readKept(row.resourceId).audience) : [],
    findKey: keysOf(async () => {
      const set = await transmitter.keySet();
      // Where the keys are pinned, a transmitter need not say anything of itself.
      const metadata = await transmitter.metadata().catch(() => null);
      if (metadata !== null) reading = { ...reading, critical: metadata.critical_subject_members };
      return set;
    }),
    // Without credentials we never ask: whoever made the stream by hand did.
    isAwaited: async (streamId, state) => {
      if (!isManaged) return true;
      const isIt = (row: { remoteId: string | null; resourceId: string | null }) =>
        row.remoteId === streamId && readKept(row.resourceId).state === state;
      return (await tools.subscriptions(isIt)).some(isIt);
    },
    now: () => new Date(),
  };

  return {
    push: {
      async verify(request) {
        const checked = await verifyPush(request, config.pushToken ?? [], expected);
        if ('verdict' in checked) return checked.verdict;
        proven.set(request, checked.set);
        return { ok: true };
      },
      normalize(request) {
        const set = proven.get(request);
        return [
          set === undefined ? unreadable(request.body.toString(), 'it was not verified') : normalize(set, reading),
        ];
      },
      accepted: 202,
      asksFor: (request) => (proven.get(request)?.types.includes(streamUpdatedType) ? [subscriptionsTask] : []),
    },
    polls:
      delivery === 'poll' && config.poll !== null
        ? [
            pollStream({
              transmitter,
              everyMs: config.poll,
              ours: { delivery, audience, hookUrl: null },
              streamId: async () =>
                (await tools.subscriptions(() => true)).find(({ remoteId }) => remoteId)?.remoteId ?? null,
              verify: (token) => verifySet(token, expected),
              normalize: (set) => normalize(set, reading),
            }),
          ]
        : [],
    subscriptions: isManaged ? streamKeeper({ transmitter, config, lastEventAt: tools.lastEventAt }) : null,
  };
}
