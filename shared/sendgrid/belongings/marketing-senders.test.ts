import { describe, expect, it } from 'vitest';
import { useAccount } from '#test/emulators/sendgrid/use-account.js';
import { SendGridLocked } from './lock.js';
import { marketingSenders } from './marketing-senders.js';

const use = useAccount();
const from = new Set(['jane@acme.com']);
const to = 'kim@acme.com';
const look = (id: number, heir: string | null = to) => marketingSenders.look(use.client, `${id}`, from, heir);
const act = (id: number, step: string, heir: string | null = to) =>
  marketingSenders.act(use.client, `${id}`, from, heir, step);
const patches = () => use.emulator.applied().filter(({ method }) => method === 'PATCH');

describe('list', () => {
  it('reads the list as the specification wraps it, as a bare array, and as nothing', async () => {
    const { id } = use.account.addSender({ from: 'Jane@acme.com', reply_to: 'help@acme.com', nickname: 'News' });
    const listed = [
      { kind: 'sender', id: `${id}`, label: 'sender News', addresses: ['Jane@acme.com', 'help@acme.com'] },
    ];
    expect(await marketingSenders.list(use.client)).toEqual(listed);
    const body = JSON.stringify([...use.account.senders.values()]);
    use.emulator.faults.inject({ times: 1, fault: { kind: 'garbage', body } });
    expect(await marketingSenders.list(use.client)).toEqual(listed);
    use.emulator.faults.inject({ times: 1, fault: { kind: 'status', status: 404 } });
    expect(await marketingSenders.list(use.client)).toEqual([]);
    use.emulator.faults.inject({ times: 1, fault: { kind: 'garbage', body: '{}' } });
    await expect(marketingSenders.list(use.client)).rejects.toMatchObject({ code: 'SENDGRID_GARBAGE' });
  });
});

describe('a sender whose replies go to the leaver', () => {
  it('has them go to the successor at once, verified or not', async () => {
    const sender = use.account.addSender({ from: 'news@acme.com', reply_to: 'Jane@acme.com' });
    expect(await look(sender.id)).toEqual({
      kind: 'carries',
      fields: { 'reply_to.email': 'Jane@acme.com' },
      step: 'change-reply-to',
    });
    await act(sender.id, 'change-reply-to');
    expect(sender).toMatchObject({ from: { email: 'news@acme.com' }, reply_to: { email: to, name: 'Acme' } });
    expect(use.lastBody()).toEqual({ reply_to: { email: to, name: 'Acme' } });
    expect(await look(sender.id)).toEqual({ kind: 'clear' });
  });
});

describe('a sender that is the leaver', () => {
  it('becomes the successor once that address is a verified sender; until then only replies move', async () => {
    const sender = use.account.addSender({ from: 'jane@acme.com', state: 'Colorado' });
    expect(await look(sender.id)).toMatchObject({ step: 'change-reply-to' });
    await act(sender.id, 'change-reply-to');
    expect(sender).toMatchObject({ from: { email: 'jane@acme.com' }, reply_to: { email: to }, verified: true });
    expect(await look(sender.id)).toMatchObject({ step: 'create-verified-sender' });
    await act(sender.id, 'create-verified-sender');
    expect(await look(sender.id)).toMatchObject({ kind: 'pending', remind: true });
    const [made] = [...use.account.verifiedSenders.values()];
    expect(made).toMatchObject({ from_email: to, reply_to: to, city: 'Denver', verified: false });
    await marketingSenders.remind?.(use.client, `${sender.id}`, to);
    expect(use.account.mails).toHaveLength(2);
    expect(sender.verified).toBe(true);
    use.account.verifySender(made?.id ?? 0);
    expect(await look(sender.id)).toMatchObject({ kind: 'carries', step: 'change' });
    await act(sender.id, 'change');
    expect(sender).toMatchObject({ from: { email: to, name: 'Acme' }, verified: true });
    expect(await look(sender.id)).toEqual({ kind: 'clear' });
    expect(use.account.hasAnywhere('jane@acme.com')).toBe(false);
  });

  it('changes whole in one go when the successor is verified already', async () => {
    use.account.addVerifiedSender({ from_email: 'Kim@acme.com' });
    const sender = use.account.addSender({ from: 'jane@acme.com' });
    expect(await look(sender.id)).toMatchObject({ step: 'change' });
    await act(sender.id, 'change');
    expect(sender).toMatchObject({ from: { email: to }, reply_to: { email: to } });
    expect(use.changes()).toEqual(['PATCH /v3/marketing/senders/{id}']);
  });

  it('waits for its own verification where SendGrid wants one after all', async () => {
    const sender = use.account.addSender({ from: to, verified: false });
    expect(await look(sender.id)).toMatchObject({ kind: 'pending', remind: true });
    await marketingSenders.remind?.(use.client, `${sender.id}`, to);
    expect(use.account.mails).toEqual([{ to, senderId: sender.id }]);
    const body = JSON.stringify({ ...sender, verified: { status: true, reason: null } });
    use.emulator.faults.inject({ times: 1, fault: { kind: 'garbage', body } });
    expect(await look(sender.id)).toEqual({ kind: 'clear' });
  });
});

describe('a lock', () => {
  it('is waited for, whatever the sender carries', async () => {
    const sender = use.account.addSender({ from: 'jane@acme.com', locked: true });
    expect(await look(sender.id)).toMatchObject({
      kind: 'pending',
      why: expect.stringContaining('locked'),
      remind: false,
    });
    await act(sender.id, 'change-reply-to');
    expect(patches()).toEqual([]);
    sender.locked = false;
    expect(await look(sender.id)).toMatchObject({ kind: 'carries' });
  });

  it('that came after the look waits as well', async () => {
    const sender = use.account.addSender({ from: 'news@acme.com', reply_to: 'jane@acme.com' });
    const stale = JSON.stringify(sender);
    sender.locked = true;
    use.emulator.faults.inject({ method: 'GET', fault: { kind: 'garbage', body: stale } });
    const error = await act(sender.id, 'change-reply-to').catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(SendGridLocked);
    expect(error).toMatchObject({ code: 'SENDGRID_LOCKED', delayMs: 900_000 });
  });
});

describe('nobody to succeed', () => {
  it('leaves it as it is', async () => {
    const sender = use.account.addSender({ from: 'jane@acme.com' });
    expect(await look(sender.id, null)).toMatchObject({ kind: 'carries', step: 'change' });
    await expect(act(sender.id, 'change', null)).rejects.toMatchObject({ code: 'SENDGRID_UNSUPPORTED' });
    expect(use.changes()).toEqual([]);
  });
});

it('a sender that is gone is clear', async () => {
  expect(await look(404)).toEqual({ kind: 'clear' });
});
