import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BelongingKind, belongingKinds } from '#shared/lifecycle/belonging.js';
import * as accessRequests from '#shared/sendgrid/access-requests.js';
import * as apiKeys from '#shared/sendgrid/api-keys.js';
import { belongingNouns } from '#shared/sendgrid/belongings/index.js';
import { createSendGridClient, type SendGridClient } from '#shared/sendgrid/client.js';
import { inSubuser } from '#shared/sendgrid/in-subuser.js';
import * as subusers from '#shared/sendgrid/subusers.js';
import { listTeammates } from '#shared/sendgrid/teammates.js';
import { type EmulatedAccount, type SendGridEmulator, startSendGridEmulator } from '#test/emulators/sendgrid/index.js';
import { type ContractProxy, contracts, startContractProxy } from './proxy.js';

const jane = 'jane@acme.com';
const kim = 'kim@acme.com';

/** The leaver in everything that can carry an address; `state` is longer than SendGrid itself would take. */
const belongings = {
  verifiedSenders: [
    { from_email: jane, state: 'Colorado' },
    { from_email: 'shop@acme.com', reply_to: jane, state: 'Colorado' },
  ],
  senders: [{ from: jane }, { from: 'shop@acme.com', reply_to: jane }],
  legacySenders: [{ from: jane }, { from: 'shop@acme.com', reply_to: jane }],
  alerts: [{ email_to: jane }, { email_to: jane, frequency: 'weekly' }],
  forwardBounce: jane,
  forwardSpam: `ops@acme.com, ${jane}`,
  addressWhitelist: ['acme.com', jane],
};

describe.skipIf(contracts === null)('Twilio’s published contract, for what offboarding touches', () => {
  let emulator: SendGridEmulator;
  let account: EmulatedAccount;
  let proxy: ContractProxy;
  let client: SendGridClient;
  beforeAll(async () => {
    emulator = await startSendGridEmulator();
    account = emulator.addAccount({
      name: 'main',
      apiKey: 'SG.contract',
      ...structuredClone(belongings),
      subusers: [{ id: 1, username: 'brand-eu', teammates: [{ email: jane }], ...structuredClone(belongings) }],
    });
    proxy = await startContractProxy(emulator.url);
    client = createSendGridClient({
      account: 'main',
      apiKey: 'SG.contract',
      baseUrl: proxy.url,
      pace: { acquire: async () => undefined, observe: async () => 0 },
      onUnauthorized: async () => undefined,
    });
  });
  afterAll(async () => {
    await client.close();
    await proxy.close();
    await emulator.close();
  });

  describe('every request that the client can make, and what the emulator answers', () => {
    /** Each exported function that speaks to SendGrid, called through the proxy: a new one without a call fails below. */
    const calls: Record<string, () => Promise<unknown>> = {
      listSubusers: async () => expect(await subusers.listSubusers(client)).toHaveLength(1),
      listAccessRequests: async () => {
        account.requestAccess({ email: jane });
        expect(await accessRequests.listAccessRequests(client)).toHaveLength(1);
      },
      denyAccessRequest: async () => {
        const { id } = account.requestAccess({ email: jane });
        expect(await accessRequests.denyAccessRequest(client, `${id}`)).toBe('denied');
        expect(await accessRequests.denyAccessRequest(client, `${id}`)).toBe('absent');
      },
      listApiKeys: () => apiKeys.listApiKeys(client),
      createApiKey: () => apiKeys.createApiKey(client, { name: 'new', scopes: ['mail.send'] }),
      getApiKey: async () => {
        const { id } = account.addApiKey({ name: 'shop' });
        expect(await apiKeys.getApiKey(client, id)).toMatchObject({ name: 'shop', scopes: ['mail.send'] });
        expect(await apiKeys.getApiKey(client, 'no-such')).toBeNull();
      },
      renameApiKey: async () => {
        const { id } = account.addApiKey({ name: 'old' });
        expect(await apiKeys.renameApiKey(client, id, 'new')).toBe('renamed');
      },
      deleteApiKey: async () => {
        const { id } = account.addApiKey({ name: 'old' });
        expect(await apiKeys.deleteApiKey(client, id)).toBe('deleted');
        expect(await apiKeys.deleteApiKey(client, id)).toBe('absent');
      },
    };

    it.each(Object.entries(calls))('%s', async (_, call) => {
      await call();
    });

    it('are all of them', () => {
      const speaking = [subusers, accessRequests, apiKeys].flatMap((module) =>
        Object.entries(module)
          .filter(([, value]) => typeof value === 'function')
          .map(([name]) => name),
      );
      expect(speaking.sort()).toEqual(Object.keys(calls).sort());
    });
  });

  it('inSubuser: teammates of a subuser, and a refusal for one that is not there', async () => {
    expect((await listTeammates(inSubuser(client, 'brand-eu'))).map(({ email }) => email)).toEqual([jane]);
    await expect(listTeammates(inSubuser(client, 'no-such'))).rejects.toMatchObject({ code: 'SENDGRID_FORBIDDEN' });
  });

  describe.each([null, 'brand-eu'])('belongings (subuser: %s)', (subuser) => {
    const from = new Set([jane]);

    it('move, step by step, until none is left', async () => {
      const acting = subuser === null ? client : inSubuser(client, subuser);
      const space = subuser === null ? account : account.inSubuser(subuser);
      const all = (await Promise.all(belongingKinds.map((kind) => belongingNouns[kind].list(acting)))).flat();
      const reminded = new Set<BelongingKind>();
      for (let rounds = 0; rounds < 8; rounds += 1) {
        for (const { kind, id } of all) {
          const noun = belongingNouns[kind];
          const state = await noun.look(acting, id, from, kim);
          if (state.kind === 'carries') await noun.act(acting, id, from, kim, state.step);
          if (state.kind === 'pending' && state.remind) {
            await noun.remind?.(acting, id, kim);
            reminded.add(kind);
          }
        }
        // Every other round, so that somebody has to be reminded in between.
        if (rounds % 2 === 1) for (const { senderId } of space.mails) space.verifySender(senderId);
      }
      expect(space.holds(jane)).toBe(false);
      expect([...reminded].sort()).toEqual(['legacy-sender', 'sender', 'verified-sender']);
    });

    it('say so when they are locked or gone', async () => {
      const acting = subuser === null ? client : inSubuser(client, subuser);
      const space = subuser === null ? account : account.inSubuser(subuser);
      for (const [kind, shelf] of [
        ['sender', space.senders],
        ['legacy-sender', space.legacySenders],
      ] as const) {
        const { id } = kind === 'sender' ? space.addSender({ from: jane }) : space.addLegacySender({ from: jane });
        const sender = shelf.get(id);
        if (sender !== undefined) sender.locked = true;
        expect(await belongingNouns[kind].look(acting, `${id}`, from, kim)).toMatchObject({ kind: 'pending' });
        shelf.delete(id);
        expect(await belongingNouns[kind].look(acting, `${id}`, from, kim)).toEqual({ kind: 'clear' });
      }
    });
  });

  it('what the emulator answers when it refuses a verified sender', async () => {
    const refused = (method: string, path: string, body: unknown) =>
      fetch(`${proxy.url}${path}`, {
        method,
        headers: { authorization: 'Bearer SG.contract', 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    const whole = { nickname: 'twin', from_email: jane, reply_to: jane };
    expect((await refused('POST', '/v3/verified_senders', whole)).status).toBe(201);
    expect((await refused('POST', '/v3/verified_senders', whole)).status).toBe(400);
    expect((await refused('PATCH', '/v3/verified_senders/99999', whole)).status).toBe(404);
  });
});
