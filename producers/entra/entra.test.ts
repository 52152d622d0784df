import Fastify from 'fastify';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { EntraSource } from '#shared/config/sources/entra.js';
import { DirectoryUnavailable } from '#shared/directory/directory.js';
import type { NormalizedEntry } from '#shared/lifecycle/types.js';
import type { StoredSubscription } from '#shared/store/subscriptions.js';
import {
  type Certificate,
  deliveryText,
  type EntraEmulator,
  makeCertificate,
  registration,
  startEntraEmulator,
  trustEverybody,
} from '#test/emulators/entra/index.js';
import { registerHooks } from '../receive.js';
import { CursorLost, type PollStream, type SubscriptionContext } from '../source.js';
import { entraSource } from './index.js';

const day = 24 * 3_600_000;
const clientState = 'client-state-0123456789abcdef';

describe('producers/entra', () => {
  let tls: Certificate;
  let entra: EntraEmulator;
  let distrust: () => void;
  let rows: StoredSubscription[];
  let stored: NormalizedEntry[];
  let woken: string[];
  let web: { url: string; close(): Promise<unknown> };

  beforeAll(() => {
    tls = makeCertificate();
    distrust = trustEverybody();
  });
  afterAll(async () => {
    distrust();
    tls.remove();
    await entra.close();
    await web.close();
  });
  beforeEach(async () => {
    await entra?.close();
    await web?.close();
    [rows, stored, woken] = [[], [], []];
    entra = await startEntraEmulator(tls);
    web = await listen();
  });

  const source = (more: Partial<EntraSource> = {}) =>
    entraSource(
      'entra',
      {
        type: 'entra',
        ...registration,
        clientState: [clientState],
        disabled: 'suspended',
        poll: 60_000,
        graphUrl: entra.url,
        authorityHost: entra.url,
        ...more,
      },
      { subscriptions: async () => rows, lastEventAt: async () => null },
    );

  /** The receiver as it is, with a list for an inbox. */
  async function listen() {
    const app = Fastify();
    const { push } = source();
    if (push === null) throw new Error('nobody sends to it');
    const asksFor = push.asksFor?.bind(push);
    const silent = () => undefined;
    registerHooks(app, {
      sources: [
        {
          name: 'entra',
          polls: [],
          subscriptions: null,
          push: {
            ...push,
            asksFor: (request) => {
              woken.push(...(asksFor?.(request) ?? []));
              return [];
            },
          },
        },
      ],
      db: null as never,
      intake: {
        async store(_, entries) {
          stored.push(...entries);
          return { stored: entries.length, duplicates: 0 };
        },
      },
      nudge: silent,
      counts: { refused: silent, answered: silent },
      log: { debug: silent, error: silent } as never,
    });
    const url = await app.listen({ port: 0, host: '127.0.0.1' });
    return { url: `${url}/hooks/entra`, close: () => app.close() };
  }

  const context = (now = new Date()): SubscriptionContext => ({
    hookUrl: web.url,
    stored: [...rows],
    now,
    async save({ id = `row-${rows.length}-${Math.random()}`, ...row }) {
      rows = [...rows.filter((one) => one.id !== id), { ...row, id, source: 'entra', createdAt: now }];
      return id;
    },
    async forget(id) {
      rows = rows.filter((one) => one.id !== id);
    },
  });
  const ensure = (now?: Date, more: Partial<EntraSource> = {}) => source(more).subscriptions?.ensure(context(now));
  const remotes = () => [...entra.subscriptions.all.values()];

  describe('subscriptions', () => {
    it('makes one on users and one on groups, through the validation of both addresses', async () => {
      expect(await ensure()).toMatchObject([
        { kind: 'users', state: 'active' },
        { kind: 'groups', state: 'active' },
      ]);
      expect(remotes()).toMatchObject([
        {
          resource: 'users',
          changeType: 'updated,deleted',
          clientState,
          lifecycleNotificationUrl: `${web.url}/lifecycle`,
        },
        { resource: 'groups', changeType: 'updated,deleted', clientState },
      ]);
      expect(rows.map(({ remoteId }) => remoteId)).toEqual(remotes().map(({ id }) => id));
      expect(JSON.stringify(rows)).not.toContain(clientState);
      await ensure();
      expect(remotes().length).toBe(2);
      expect(await source().subscriptions?.list(context())).toMatchObject([{ state: 'active' }, { state: 'active' }]);
    });

    it('believes what is sent before the call that makes the subscription is answered', async () => {
      entra.subscriptions.beforeAnswer = async (subscription) => {
        entra.addUser({ email: 'early@acme.com' });
        const change = entra.changes.at(-1);
        if (change === undefined) throw new Error('nothing happened');
        const body = deliveryText([entra.subscriptions.item(subscription, change)]);
        expect(
          (await fetch(web.url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })).status,
        ).toBe(202);
      };
      await ensure();
      expect(stored.filter(({ outcome }) => outcome === 'event').length).toBe(2);
    });

    it('finds by listing that one has vanished in silence, and makes it anew', async () => {
      await ensure();
      const [users] = remotes();
      entra.subscriptions.all.delete(users?.id ?? '');
      expect(await source().subscriptions?.list(context())).toMatchObject([
        { kind: 'users', state: 'missing' },
        { state: 'active' },
      ]);
      expect(await ensure()).toMatchObject([{ state: 'active' }, { state: 'active' }]);
      expect(remotes().length).toBe(2);
      expect(rows.length).toBe(2);
    });

    it('renews long before half of its life, and never asks for more than Graph grants', async () => {
      await ensure();
      const before = remotes().map((one) => one.expirationDateTime);
      await ensure(new Date(Date.now() + 3_600_000));
      expect(remotes().map((one) => one.expirationDateTime)).toEqual(before);
      for (const one of remotes()) one.expirationDateTime = new Date(Date.now() + 13 * day).toISOString();
      await ensure();
      for (const { expirationDateTime } of remotes())
        expect(Date.parse(expirationDateTime)).toBeGreaterThan(Date.now() + 28 * day);
    });

    it('puts a new one in the place of one that expired, sends elsewhere or carries an older secret', async () => {
      await ensure();
      const [users, groups] = remotes();
      if (users === undefined || groups === undefined) throw new Error('there are none');
      users.expirationDateTime = new Date(Date.now() - 1_000).toISOString();
      groups.notificationUrl = 'https://elsewhere.example/hooks/entra';
      expect(await source().subscriptions?.list(context())).toMatchObject([
        { state: 'expired' },
        { state: 'inactive' },
      ]);
      await ensure();
      expect(remotes().map(({ id }) => id)).not.toContain(users.id);
      expect(remotes().map(({ id }) => id)).not.toContain(groups.id);
      await ensure(undefined, { clientState: ['another-state-0123456789', clientState] });
      expect(remotes().map((one) => one.clientState)).toEqual(['another-state-0123456789', 'another-state-0123456789']);
      expect(rows.length).toBe(2);
    });

    it('says what to do when Graph refuses, and waits when it is throttled', async () => {
      entra.granted.delete('Group.Read.All');
      const [, groups] = (await ensure()) ?? [];
      expect(groups).toMatchObject({ state: 'missing', remedy: expect.stringContaining('Group.Read.All') });
      await web.close();
      entra.granted.add('Group.Read.All');
      expect((await ensure())?.[1]).toMatchObject({ state: 'missing', remedy: expect.stringContaining('publicUrl') });
      web = await listen();
      entra.fault = { kind: 'status', status: 429, headers: { 'retry-after': '90' } };
      await expect(ensure()).rejects.toMatchObject({ delayMs: 90_000 });
    });

    it('takes back what it made, and nothing else', async () => {
      const foreign = {
        id: 'x',
        resource: 'users',
        changeType: 'updated,deleted',
        notificationUrl: 'https://other.example/',
        lifecycleNotificationUrl: null,
        expirationDateTime: new Date(Date.now() + day).toISOString(),
        clientState: 'y',
      };
      entra.subscriptions.all.set('x', foreign);
      await ensure();
      expect(await source().subscriptions?.remove(context())).toBe(2);
      expect(remotes()).toEqual([foreign]);
      expect(rows).toEqual([]);
    });
  });

  describe('notifications', () => {
    const genuine = async () => {
      await ensure();
      const { id } = entra.addUser({ email: 'jane@acme.com' });
      const [{ item } = { item: {} }] = entra.subscriptions.take(entra);
      return { id, item };
    };
    const post = async (items: unknown[], path = '') => {
      const body = deliveryText(items);
      return (
        await fetch(`${web.url}${path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
      ).status;
    };

    it('a soft delete is an update, and the deletion comes when the bin is emptied', async () => {
      const { id } = await genuine();
      entra.softDelete(id);
      expect(await entra.deliver()).toEqual([202]);
      expect(stored).toMatchObject([
        { outcome: 'event', type: 'moved', senderType: 'user updated', person: { directoryId: id } },
      ]);
      entra.purge(id);
      await entra.deliver();
      expect(stored.at(-1)).toMatchObject({ type: 'terminated', senderType: 'user deleted' });
    });

    it.each<[string, Record<string, unknown>]>([
      ['clientState', { clientState: 'forged' }],
      ['subscription', { subscriptionId: 'forged' }],
      ['tenant', { tenantId: 'forged' }],
      ['organization', { resourceData: { id: 'x', organizationId: 'forged' } }],
    ])('answers 202 to a forged %s and keeps no row of it, nor of its neighbours', async (_, forged) => {
      const { item } = await genuine();
      expect(await post([{ ...item, ...forged }])).toBe(202);
      expect(await post([item, { ...item, ...forged }])).toBe(202);
      expect(await post([{ ...item, ...forged, lifecycleEvent: 'missed' }], '/lifecycle')).toBe(202);
      expect([stored, woken]).toEqual([[], []]);
      expect(await post([item])).toBe(202);
      expect(stored.length).toBe(1);
    });

    it.each([
      ['reauthorizationRequired', ['subscriptions']],
      ['missed', ['users-delta', 'groups-delta']],
      ['subscriptionRemoved', ['subscriptions', 'users-delta', 'groups-delta']],
      ['somethingNew', []],
    ])('%s asks for %j', async (event, tasks) => {
      await ensure();
      expect(await entra.deliverLifecycle(event)).toEqual([202, 202]);
      expect([...new Set(woken)]).toEqual(tasks);
      expect(stored.map(({ outcome }) => outcome)).toEqual(['ignored', 'ignored']);
    });
  });

  describe('delta queries', () => {
    const stream = (task: string) => source().polls.find((one) => one.task === task) as PollStream;
    const walk = async (task: string, cursor: string | null) => {
      const entries: NormalizedEntry[] = [];
      const cursors: string[] = [];
      for await (const page of stream(task).pages(cursor)) {
        entries.push(...page.entries);
        cursors.push(page.cursor);
      }
      return { entries, cursors, cursor: cursors.at(-1) ?? '' };
    };
    const idsOf = (entries: NormalizedEntry[]) =>
      entries.map((one) => (one.outcome === 'event' ? one.person.directoryId : one.outcome));

    it('begins now, tells everything from then on page by page, and goes on from any page', async () => {
      entra.addUser({ email: 'before@acme.com' });
      const start = await walk('users-delta', null);
      expect(start.entries).toEqual([]);
      const people = Array.from({ length: 10 }, (_, i) => entra.addUser({ email: `p${i}@acme.com` }));
      entra.setEnabled(people[0]?.id ?? '', false);
      entra.softDelete(people[1]?.id ?? '');
      const { entries, cursors, cursor } = await walk('users-delta', start.cursor);
      expect(idsOf(entries)).toEqual(people.map(({ id }) => id));
      expect(entries.slice(0, 3)).toMatchObject([{ type: 'suspended' }, { type: 'terminated' }, { type: 'moved' }]);
      expect(cursors.length).toBe(3);
      expect(idsOf((await walk('users-delta', cursors[0] ?? '')).entries)).toEqual(people.slice(4).map(({ id }) => id));
      expect((await walk('users-delta', cursor)).entries).toEqual([]);
      expect((await walk('users-delta', start.cursor)).entries.map(({ eventId }) => eventId)).toEqual(
        entries.map(({ eventId }) => eventId),
      );
    });

    it('names the members that came and went, a large group’s on every page, and those of nested groups', async () => {
      const [jane, joe] = [entra.addUser({ email: 'jane@acme.com' }), entra.addUser({ email: 'joe@acme.com' })];
      const [inner, outer] = [entra.addGroup('Inner'), entra.addGroup('Outer')];
      entra.join(inner.id, joe.id);
      const { cursor } = await walk('groups-delta', null);
      const many = Array.from({ length: 9 }, (_, i) => entra.addUser({ email: `m${i}@acme.com` }));
      entra.join(outer.id, jane.id);
      entra.leave(outer.id, jane.id);
      for (const { id } of many) entra.join(outer.id, id);
      const first = await walk('groups-delta', cursor);
      expect(first.cursors.length).toBeGreaterThan(1);
      expect(new Set(idsOf(first.entries))).toEqual(new Set([jane.id, ...many.map(({ id }) => id)]));
      entra.join(outer.id, inner.id);
      const second = await walk('groups-delta', first.cursor);
      expect(idsOf(second.entries)).toEqual([joe.id]);
      entra.deleteGroup(outer.id);
      expect(idsOf((await walk('groups-delta', second.cursor)).entries)).toEqual(['ignored']);
    });

    it('a token that Graph has forgotten is asked for anew, and nobody who is missing then is taken for gone', async () => {
      const jane = entra.addUser({ email: 'jane@acme.com' });
      const { cursor } = await walk('users-delta', null);
      entra.softDelete(jane.id);
      entra.forgetTokens();
      await expect(walk('users-delta', cursor)).rejects.toBeInstanceOf(CursorLost);
      entra.fault = { kind: 'status', status: 400, body: { error: { code: 'SyncStateNotFound', message: 'gone' } } };
      await expect(walk('users-delta', cursor)).rejects.toBeInstanceOf(CursorLost);
      // Asked from the start, it is no answer: else it would be asked for ever without a pause.
      await expect(walk('users-delta', null)).rejects.toBeInstanceOf(DirectoryUnavailable);
      entra.fault = null;
      const again = await walk('users-delta', null);
      expect(again.entries).toEqual([]);
      const { id } = entra.addUser({ email: 'joe@acme.com' });
      expect(idsOf((await walk('users-delta', again.cursor)).entries)).toEqual([id]);
    });

    it('a place in another cloud is none here', async () => {
      await expect(
        walk('users-delta', 'https://graph.microsoft.us/v1.0/users/delta?$deltatoken=x'),
      ).rejects.toBeInstanceOf(CursorLost);
    });

    it.each(['users-delta', 'groups-delta'])('%s waits as long as it is asked to', async (task) => {
      const { cursor } = await walk(task, null);
      entra.fault = { kind: 'status', status: 429, headers: { 'retry-after': '120' } };
      await expect(walk(task, cursor)).rejects.toMatchObject({ delayMs: 120_000 });
      entra.fault = { kind: 'status', status: 403 };
      await expect(walk(task, cursor)).rejects.toBeInstanceOf(DirectoryUnavailable);
    });

    it('is not asked when polling is off', () => {
      expect(source({ poll: null }).polls).toEqual([]);
    });
  });
});
