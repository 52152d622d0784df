import { describe, expect, it } from 'vitest';
import { useAccount } from '#test/emulators/sendgrid/use-account.js';
import { denyAccessRequest, listAccessRequests } from './access-requests.js';

const use = useAccount();

describe('access requests', () => {
  it('are listed beyond the default page of 50, and denied by id', async () => {
    for (let n = 0; n < 120; n += 1)
      use.account.requestAccess({ email: `p${n}@acme.com`, scopeGroup: 'Mail Settings' });
    const all = await listAccessRequests(use.client);
    expect(all).toHaveLength(120);
    expect(all[7]).toEqual({ id: '8', username: 'p7@acme.com', email: 'p7@acme.com', scopeGroup: 'Mail Settings' });
    expect(await denyAccessRequest(use.client, '8')).toBe('denied');
    expect(await denyAccessRequest(use.client, '8')).toBe('absent');
    expect(use.account.hasAnywhere('p7@acme.com')).toBe(false);
    expect(await listAccessRequests(use.client)).toHaveLength(119);
  });

  it('are none where the endpoint is gone, and unknown where the key may not look', async () => {
    use.emulator.faults.inject({ times: 1, fault: { kind: 'status', status: 403 } });
    await expect(listAccessRequests(use.client)).rejects.toMatchObject({ code: 'SENDGRID_FORBIDDEN' });
    use.account = use.emulator.addAccount({ name: 'marketing', apiKey: 'SG.marketing', accessRequests: false });
    expect(await listAccessRequests(use.client)).toEqual([]);
  });
});
