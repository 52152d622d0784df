import { describe, expect, it } from 'vitest';
import { useAccount } from '#test/emulators/sendgrid/use-account.js';
import { inSubuser } from './in-subuser.js';
import { deleteInvitation, listInvitations } from './invitations.js';
import { deleteTeammate, getTeammate, listTeammates, username } from './teammates.js';

const use = useAccount({
  teammates: [{ email: 'jane@acme.com' }],
  subusers: [
    { id: 1, username: 'brand-eu', teammates: [{ email: 'jane@acme.com' }], invitations: [{ email: 'new@acme.com' }] },
    { id: 2, username: 'brand-us' },
  ],
});
const jane = username('jane@acme.com');

describe('inSubuser', () => {
  it('sees who is inside the subuser and nobody else', async () => {
    const client = inSubuser(use.client, 'brand-eu');
    expect((await listTeammates(client)).map((mate) => mate.email)).toEqual(['jane@acme.com']);
    expect((await listInvitations(client)).map((one) => one.email)).toEqual(['new@acme.com']);
    expect(await listTeammates(inSubuser(use.client, 'brand-us'))).toEqual([]);
    expect(client.account).toBe('marketing');
  });

  it('removes inside the subuser alone', async () => {
    const client = inSubuser(use.client, 'brand-eu');
    expect(await deleteTeammate(client, jane)).toBe('deleted');
    expect(await getTeammate(client, jane, { subusers: false })).toBeNull();
    for (const { token } of await listInvitations(client)) await deleteInvitation(client, token);
    expect(use.account.has('jane@acme.com')).toBe(true);
    expect(use.account.inSubuser('brand-eu').hasAnywhere('new@acme.com')).toBe(false);
    expect(use.emulator.applied().map(({ subuser }) => subuser)).toEqual(['brand-eu', 'brand-eu']);
  });

  it('names the subuser in what goes wrong, and keeps the class and the code', async () => {
    await expect(listTeammates(inSubuser(use.client, 'no-such'))).rejects.toMatchObject({
      name: 'SendGridRefused',
      code: 'SENDGRID_FORBIDDEN',
      message: 'SendGrid marketing, subuser "no-such": GET /v3/teammates answered 403: access forbidden',
      facts: { status: 403, subuser: 'no-such' },
    });
    await expect(listTeammates(inSubuser(use.client, 'account-id 12'))).rejects.toMatchObject({
      code: 'SENDGRID_NAME_INVALID',
    });
  });

  it('leaves the connections to the account’s own client', async () => {
    await inSubuser(use.client, 'brand-eu').close();
    expect(await listTeammates(use.client)).toHaveLength(2);
  });
});
