import { describe, expect, it } from 'vitest';
import { useAccount } from '#test/emulators/sendgrid/use-account.js';
import { inSubuser } from '../in-subuser.js';
import { SendGridLocked } from './lock.js';
import { verifiedSenders } from './verified-senders.js';

const use = useAccount({ subusers: [{ id: 1, username: 'brand-eu' }] });
const from = new Set(['jane@acme.com', 'jane.doe@acme.com']);
const to = 'kim@acme.com';
const look = (id: number, heir: string | null = to) => verifiedSenders.look(use.client, `${id}`, from, heir);
const act = (id: number, step: string, heir: string | null = to) =>
  verifiedSenders.act(use.client, `${id}`, from, heir, step);
const kims = () => [...use.account.verifiedSenders.values()].find((one) => one.from_email === to);

describe('list', () => {
  it('gives every sender beyond the default page, with its addresses as written', async () => {
    for (let n = 0; n < 620; n += 1) use.account.addVerifiedSender({ from_email: `p${n}@acme.com`, nickname: `n${n}` });
    use.account.addVerifiedSender({ from_email: 'Jane@Acme.com', reply_to: 'help@acme.com', nickname: 'Orders' });
    const all = await verifiedSenders.list(use.client);
    expect(all).toHaveLength(621);
    expect(all.at(-1)).toEqual({
      kind: 'verified-sender',
      id: '621',
      label: 'verified sender Orders',
      addresses: ['Jane@Acme.com', 'help@acme.com'],
    });
    expect(use.emulator.journal.length).toBeLessThanOrEqual(3);
  });

  it('goes on after a page that is shorter than asked for', async () => {
    for (let n = 0; n < 30; n += 1) use.account.addVerifiedSender({ from_email: `p${n}@acme.com`, nickname: `n${n}` });
    use.emulator.faults.inject({ times: 2, fault: { kind: 'short-page', length: 7 } });
    expect(await verifiedSenders.list(use.client)).toHaveLength(30);
  });

  it('is empty where the endpoint is not there, and an error where it is forbidden', async () => {
    use.account.addVerifiedSender({ from_email: to });
    use.emulator.faults.inject({ times: 1, fault: { kind: 'status', status: 404 } });
    expect(await verifiedSenders.list(use.client)).toEqual([]);
    use.emulator.faults.inject({ times: 1, fault: { kind: 'status', status: 403 } });
    await expect(verifiedSenders.list(use.client)).rejects.toMatchObject({ code: 'SENDGRID_FORBIDDEN' });
  });
});

describe('a sender that replies to the leaver', () => {
  it('replies to the successor after one change, everything else as it was', async () => {
    const sender = use.account.addVerifiedSender({ from_email: 'shop@acme.com', reply_to: 'Jane.Doe@acme.com' });
    const before = { ...sender };
    expect(await look(sender.id)).toEqual({
      kind: 'carries',
      fields: { reply_to: 'Jane.Doe@acme.com' },
      step: 'change-reply-to',
    });
    await act(sender.id, 'change-reply-to');
    expect(sender).toEqual({ ...before, reply_to: to });
    expect(await look(sender.id)).toEqual({ kind: 'clear' });
  });

  it('is not spoiled by a state that SendGrid holds and would not take', async () => {
    const seed = { from_email: 'shop@acme.com', reply_to: 'jane@acme.com', state: 'Colorado', address2: '' };
    const sender = use.account.addVerifiedSender(seed);
    await act(sender.id, 'change-reply-to');
    expect(sender).toMatchObject({ state: 'Colorado', reply_to: to });
    expect(Object.keys(use.lastBody() as object)).not.toContain('state');
    expect(Object.keys(use.lastBody() as object)).not.toContain('address2');
  });

  it('waits while a campaign holds it', async () => {
    const sender = use.account.addVerifiedSender({ from_email: 'shop@acme.com', reply_to: 'jane@acme.com' });
    sender.locked = true;
    expect(await look(sender.id)).toMatchObject({ kind: 'pending', remind: false });
  });
});

describe('a sender that is the leaver', () => {
  it('is deleted only once the successor has one that is verified; it is never changed', async () => {
    const sender = use.account.addVerifiedSender({
      from_email: 'Jane@acme.com',
      nickname: 'Orders',
      state: 'Colorado',
    });
    const before = { ...sender };
    expect(await look(sender.id)).toEqual({
      kind: 'carries',
      fields: { from_email: 'Jane@acme.com', reply_to: 'Jane@acme.com' },
      step: 'create',
    });
    await act(sender.id, 'create');
    expect(kims()).toMatchObject({
      nickname: 'Orders 2',
      from_email: to,
      reply_to: to,
      city: 'Denver',
      verified: false,
    });
    expect(await look(sender.id)).toMatchObject({ kind: 'pending', remind: true });
    expect(use.account.verifiedSenders.get(sender.id)).toEqual(before);
    use.account.verifySender(kims()?.id ?? 0);
    expect(await look(sender.id)).toMatchObject({ kind: 'carries', step: 'delete' });
    await act(sender.id, 'delete');
    expect(await look(sender.id)).toEqual({ kind: 'clear' });
    expect(use.account.hasAnywhere('jane@acme.com')).toBe(false);
    expect(use.changes()).toEqual(['POST /v3/verified_senders', 'DELETE /v3/verified_senders/{id}']);
  });

  it('needs no mail within an authenticated domain', async () => {
    use.account.authenticatedDomains.push('acme.com');
    const { id } = use.account.addVerifiedSender({ from_email: 'jane@acme.com', reply_to: 'help@acme.com' });
    await act(id, 'create');
    expect(kims()).toMatchObject({ verified: true, reply_to: 'help@acme.com' });
    expect(await look(id)).toMatchObject({ step: 'delete' });
  });

  it('stays while a campaign’s sender still uses it', async () => {
    const { id } = use.account.addVerifiedSender({ from_email: 'jane@acme.com' });
    use.account.addVerifiedSender({ from_email: to });
    const user = use.account.addSender({ from: 'jane@acme.com', nickname: 'News' });
    expect(await look(id)).toMatchObject({ kind: 'pending', why: expect.stringContaining('News'), remind: false });
    user.from.email = to;
    expect(await look(id)).toMatchObject({ step: 'delete' });
  });

  it('is deleted where Marketing Campaigns may not be read', async () => {
    const { id } = use.account.addVerifiedSender({ from_email: 'jane@acme.com' });
    use.account.addVerifiedSender({ from_email: to });
    use.emulator.faults.inject({ path: /^\/v3\/(marketing\/)?senders$/, fault: { kind: 'status', status: 403 } });
    expect(await look(id)).toMatchObject({ step: 'delete' });
  });

  it('is held back when it was locked between the look and the deletion', async () => {
    const { id } = use.account.addVerifiedSender({ from_email: 'jane@acme.com' });
    use.account.addVerifiedSender({ from_email: to });
    const body = { errors: [{ message: 'You may only delete a sender identity when it is unlocked.' }] };
    use.emulator.faults.inject({ method: 'DELETE', fault: { kind: 'status', status: 403, body } });
    await expect(act(id, 'delete')).rejects.toBeInstanceOf(SendGridLocked);
    use.emulator.faults.clear();
    use.emulator.faults.inject({ method: 'DELETE', fault: { kind: 'status', status: 403 } });
    await expect(act(id, 'delete')).rejects.toMatchObject({ code: 'SENDGRID_FORBIDDEN' });
  });
});

describe('act', () => {
  it('does nothing when another step is due by now', async () => {
    const { id } = use.account.addVerifiedSender({ from_email: 'jane@acme.com' });
    await act(id, 'delete');
    use.account.addVerifiedSender({ from_email: to, verified: false });
    await act(id, 'create');
    await act(999, 'delete');
    expect(use.changes()).toEqual([]);
  });

  it('refuses without a successor, or with the leaver as one; nothing is sent', async () => {
    const { id } = use.account.addVerifiedSender({ from_email: 'jane@acme.com' });
    expect(await look(id, null)).toMatchObject({ kind: 'carries', step: 'create' });
    await expect(act(id, 'create', null)).rejects.toMatchObject({ code: 'SENDGRID_UNSUPPORTED' });
    await expect(act(id, 'delete', 'Jane@acme.com')).rejects.toMatchObject({ code: 'SENDGRID_UNSUPPORTED' });
    expect(use.changes()).toEqual([]);
  });
});

describe('remind', () => {
  it('sends the mail again to who has not clicked, and to nobody else', async () => {
    const { id } = use.account.addVerifiedSender({ from_email: 'jane@acme.com' });
    await act(id, 'create');
    await verifiedSenders.remind?.(use.client, `${id}`, to);
    expect(use.account.mails.map((mail) => mail.to)).toEqual([to, to]);
    use.account.verifySender(kims()?.id ?? 0);
    await verifiedSenders.remind?.(use.client, `${id}`, to);
    expect(use.account.mails).toHaveLength(2);
  });
});

describe('in a subuser', () => {
  it('works there, and not in the parent', async () => {
    const space = use.account.inSubuser('brand-eu');
    const { id } = space.addVerifiedSender({ from_email: 'jane@acme.com' });
    const client = inSubuser(use.client, 'brand-eu');
    await verifiedSenders.act(client, `${id}`, from, to, 'create');
    expect([...space.verifiedSenders.values()].map((one) => one.from_email)).toEqual(['jane@acme.com', to]);
    expect(use.account.verifiedSenders.size).toBe(0);
  });
});
