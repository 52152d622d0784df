import { describe, expect, it } from 'vitest';
import { useAccount } from '#test/emulators/sendgrid/use-account.js';
import { createApiKey, deleteApiKey, getApiKey, listApiKeys, renameApiKey } from './api-keys.js';
import { createSendGridClient } from './client.js';
import { inSubuser } from './in-subuser.js';
import { ownScopes } from './scopes.js';

const use = useAccount({
  apiKeys: [{ name: 'shop', scopes: ['mail.send', 'stats.read'] }],
  subusers: [{ id: 1, username: 'brand-eu', apiKeys: [{ name: 'shop-eu' }] }],
});
const named = async (name: string) => (await listApiKeys(use.client)).find((key) => key.name === name)?.id ?? '';

/** What a key itself may do. */
async function scopesWith(apiKey: string): Promise<string[]> {
  const client = createSendGridClient({
    account: 'marketing',
    apiKey,
    baseUrl: use.emulator.url,
    pace: { acquire: async () => undefined, observe: async () => 0 },
    onUnauthorized: async () => undefined,
  });
  try {
    return await ownScopes(client);
  } finally {
    await client.close();
  }
}

describe('API keys', () => {
  it('are listed whole, those of a subuser apart', async () => {
    for (let n = 0; n < 90; n += 1) use.account.addApiKey({ name: `key ${n}` });
    expect(await listApiKeys(use.client)).toHaveLength(92);
    expect((await listApiKeys(inSubuser(use.client, 'brand-eu'))).map(({ name }) => name)).toEqual(['shop-eu']);
  });

  it('show what they may do, without what SendGrid adds itself, flat or wrapped', async () => {
    const id = await named('shop');
    const shop = { id, name: 'shop', scopes: ['mail.send', 'stats.read'] };
    expect(await getApiKey(use.client, id)).toEqual(shop);
    const wrapped = { result: [{ name: 'shop', api_key_id: id, scopes: ['stats.read', '2fa_required', 'mail.send'] }] };
    use.emulator.faults.inject({ times: 1, fault: { kind: 'garbage', body: JSON.stringify(wrapped) } });
    expect(await getApiKey(use.client, id)).toEqual(shop);
    expect(await getApiKey(use.client, 'no-such')).toBeNull();
  });

  it('are never taken to have no scopes because none were told', async () => {
    const fault = { kind: 'garbage', body: '{"api_key_id":"x","name":"shop"}' } as const;
    use.emulator.faults.inject({ times: 1, fault });
    await expect(getApiKey(use.client, 'x')).rejects.toMatchObject({ code: 'SENDGRID_GARBAGE' });
  });

  it('are made with these scopes and work at once; the secret is shown once', async () => {
    const made = await createApiKey(use.client, { name: 'shop 2', scopes: ['2fa_required', 'mail.send'] });
    expect(made).toMatchObject({ name: 'shop 2', secret: expect.stringMatching(/^SG\./) });
    expect(await scopesWith(made.secret)).toContain('mail.send');
    expect(await getApiKey(use.client, made.id)).toEqual({ id: made.id, name: 'shop 2', scopes: ['mail.send'] });
    expect(use.lastBody()).toEqual({ name: 'shop 2', scopes: ['mail.send'] });
  });

  it('are never made without scopes, which would mean all of them', async () => {
    for (const scopes of [[], ['2fa_required']]) {
      await expect(createApiKey(use.client, { name: 'all', scopes })).rejects.toMatchObject({
        code: 'SENDGRID_UNSUPPORTED',
      });
    }
    expect(use.emulator.journal).toEqual([]);
  });

  it('are 100 at most', async () => {
    for (let n = 0; n < 98; n += 1) use.account.addApiKey({ name: `key ${n}` });
    await expect(createApiKey(use.client, { name: 'one more', scopes: ['mail.send'] })).rejects.toMatchObject({
      code: 'SENDGRID_FORBIDDEN',
    });
  });

  it('are renamed and deleted, by id', async () => {
    const { id, secret } = await createApiKey(use.client, { name: 'old', scopes: ['mail.send'] });
    expect(await renameApiKey(use.client, id, 'new')).toBe('renamed');
    expect((await getApiKey(use.client, id))?.name).toBe('new');
    expect(await deleteApiKey(use.client, id)).toBe('deleted');
    expect(await deleteApiKey(use.client, id)).toBe('absent');
    expect(await renameApiKey(use.client, id, 'again')).toBe('absent');
    await expect(scopesWith(secret)).rejects.toMatchObject({ code: 'SENDGRID_UNAUTHORIZED' });
  });

  it('may work on for a while after their deletion', async () => {
    use.account = use.emulator.addAccount({ name: 'marketing', apiKey: 'SG.marketing', deletedKeysLinger: true });
    const { id, secret } = await createApiKey(use.client, { name: 'old', scopes: ['mail.send'] });
    await deleteApiKey(use.client, id);
    expect(await getApiKey(use.client, id)).toBeNull();
    expect(await scopesWith(secret)).not.toEqual([]);
    use.account.forgetDeletedKeys();
    await expect(scopesWith(secret)).rejects.toMatchObject({ code: 'SENDGRID_UNAUTHORIZED' });
  });
});
