import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EmulatedAccount, type SendGridEmulator, startSendGridEmulator } from '#test/emulators/sendgrid/index.js';
import { createSendGridClient, type SendGridClient } from './client.js';
import { deleteInvitation, listInvitations } from './invitations.js';
import { ownUsername } from './user.js';

let emulator: SendGridEmulator;
let account: EmulatedAccount;
let client: SendGridClient;

beforeAll(async () => {
  emulator = await startSendGridEmulator();
  account = emulator.addAccount({ name: 'marketing', apiKey: 'SG.marketing' });
  client = createSendGridClient({
    account: 'marketing',
    apiKey: 'SG.marketing',
    baseUrl: emulator.url,
    pace: { acquire: async () => undefined, observe: async () => 0 },
    onUnauthorized: async () => undefined,
  });
});
afterAll(async () => {
  await client.close();
  await emulator.close();
});

const once = (body: unknown) => {
  const fault = { kind: 'garbage', body: JSON.stringify(body) } as const;
  emulator.faults.clear();
  emulator.faults.inject({ times: 1, fault });
  emulator.faults.inject({ fault: { kind: 'garbage', body: '{"result":[]}' } });
};

describe('invitations', () => {
  it('are listed beyond the default page of 50, and deleted by token', async () => {
    for (let n = 0; n < 120; n += 1) account.invite({ email: `p${n}@acme.com`, is_admin: n === 7 });
    const all = await listInvitations(client);
    expect(all).toHaveLength(120);
    expect(all[7]).toMatchObject({ email: 'p7@acme.com', admin: true });
    expect(all[7]?.expiresAt?.getTime()).toBeGreaterThan(Date.now());
    expect(await deleteInvitation(client, all[7]?.token ?? '')).toBe('deleted');
    expect(await deleteInvitation(client, all[7]?.token ?? '')).toBe('absent');
    expect(await listInvitations(client)).toHaveLength(119);
  });

  it('are named by `token`, or by `pending_id`, and never by nothing', async () => {
    once({
      result: [
        { email: 'a@acme.com', pending_id: 'p-1' },
        { email: 'b@acme.com', token: 't-1', pending_id: 'x', expiration_date: '1795000000' },
      ],
    });
    expect(await listInvitations(client)).toEqual([
      { email: 'a@acme.com', admin: false, expiresAt: null, token: 'p-1' },
      { email: 'b@acme.com', admin: false, expiresAt: new Date(1_795_000_000_000), token: 't-1' },
    ]);
    once({ result: [{ email: 'a@acme.com' }] });
    await expect(listInvitations(client)).rejects.toMatchObject({ code: 'SENDGRID_GARBAGE' });
    emulator.faults.clear();
  });

  it('keep their token out of errors', async () => {
    emulator.faults.inject({ method: 'DELETE', times: 1, fault: { kind: 'status', status: 503 } });
    const error = await deleteInvitation(client, 'very-secret-token').catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'SENDGRID_OUTAGE' });
    expect(`${String(error)} ${JSON.stringify(error)}`).not.toContain('very-secret-token');
    emulator.faults.clear();
  });
});

describe('ownUsername', () => {
  it('is the principal’s, null when it may not be read, and unknown otherwise', async () => {
    expect(await ownUsername(client)).toBe('marketing-owner');
    emulator.faults.inject({ times: 1, fault: { kind: 'status', status: 403 } });
    expect(await ownUsername(client)).toBeNull();
    emulator.faults.inject({ times: 1, fault: { kind: 'status', status: 404 } });
    expect(await ownUsername(client)).toBeNull();
    for (const status of [400, 500]) {
      emulator.faults.inject({ times: 1, fault: { kind: 'status', status } });
      await expect(ownUsername(client)).rejects.toMatchObject({ facts: { status } });
    }
  });
});
