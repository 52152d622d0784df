import { describe, expect, it } from 'vitest';
import { useAccount } from '#test/emulators/sendgrid/use-account.js';
import { listSubusers } from './subusers.js';

const use = useAccount({
  subusers: Array.from({ length: 620 }, (_, index) => ({
    id: index + 1,
    username: `brand-${index + 1}`,
    disabled: index === 7,
  })),
});

describe('listSubusers', () => {
  it('sees all of them beyond the default page, disabled ones too', async () => {
    const all = await listSubusers(use.client);
    expect(all).toHaveLength(620);
    expect(all[7]).toEqual({ id: 8, username: 'brand-8', email: 'brand-8@subuser.example', disabled: true });
  });

  it('is empty where the plan has none (404), and an error where the key may not look (403)', async () => {
    const path = /^\/v3\/subusers$/;
    const missing = use.emulator.faults.inject({ path, fault: { kind: 'status', status: 404 } });
    expect(await listSubusers(use.client)).toEqual([]);
    missing.remove();
    use.emulator.faults.inject({ path, fault: { kind: 'status', status: 403 } });
    await expect(listSubusers(use.client)).rejects.toMatchObject({ code: 'SENDGRID_FORBIDDEN' });
  });

  it('is an error, not a part, when only the next page is not there', async () => {
    const slow = { kind: 'slow', ms: 0 } as const;
    use.emulator.faults.inject({ times: 1, fault: slow });
    use.emulator.faults.inject({ fault: { kind: 'status', status: 404 } });
    await expect(listSubusers(use.client)).rejects.toMatchObject({ code: 'SENDGRID_NOT_FOUND' });
  });

  it('takes numbers as text and missing keys, but no subuser without a name', async () => {
    const answer = (body: unknown) =>
      use.emulator.faults.inject({ fault: { kind: 'garbage', body: JSON.stringify(body) } });
    const tolerated = answer([{ id: '12', username: 'brand', region: 'eu' }]);
    expect(await listSubusers(use.client)).toEqual([{ id: 12, username: 'brand', email: '', disabled: false }]);
    tolerated.remove();
    answer([{ id: 12 }]);
    await expect(listSubusers(use.client)).rejects.toMatchObject({ code: 'SENDGRID_GARBAGE' });
  });
});
