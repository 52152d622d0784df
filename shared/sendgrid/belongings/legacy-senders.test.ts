import { expect, it } from 'vitest';
import { useAccount } from '#test/emulators/sendgrid/use-account.js';
import { legacySenders } from './legacy-senders.js';

const use = useAccount();
const from = new Set(['jane@acme.com']);
const to = 'kim@acme.com';
const look = (id: number, heir: string | null = to) => legacySenders.look(use.client, `${id}`, from, heir);
const act = (id: number, heir: string | null = to) => legacySenders.act(use.client, `${id}`, from, heir, 'change');

it('lists what its own key wraps', async () => {
  const { id } = use.account.addLegacySender({ from: 'jane@acme.com', nickname: 'Old news' });
  expect(await legacySenders.list(use.client)).toEqual([
    { kind: 'legacy-sender', id: `${id}`, label: 'legacy sender Old news', addresses: ['jane@acme.com'] },
  ]);
  use.emulator.faults.inject({ fault: { kind: 'status', status: 404 } });
  expect(await legacySenders.list(use.client)).toEqual([]);
});

it('changes at once, then waits until the successor has clicked', async () => {
  const sender = use.account.addLegacySender({ from: 'Jane@acme.com', reply_to: 'help@acme.com' });
  expect(await look(sender.id)).toEqual({ kind: 'carries', fields: { 'from.email': 'Jane@acme.com' }, step: 'change' });
  await act(sender.id);
  expect(use.lastBody()).toEqual({ from: { email: to, name: 'Acme' } });
  expect(sender).toMatchObject({ reply_to: { email: 'help@acme.com' }, verified: false });
  expect(await look(sender.id)).toMatchObject({ kind: 'pending', remind: true });
  await legacySenders.remind?.(use.client, `${sender.id}`, to);
  expect(use.account.mails).toHaveLength(2);
  use.account.verifySender(sender.id);
  expect(await look(sender.id)).toEqual({ kind: 'clear' });
  await legacySenders.remind?.(use.client, `${sender.id}`, to);
  expect(use.account.mails).toHaveLength(2);
});

it('needs no click for replies', async () => {
  const sender = use.account.addLegacySender({ from: 'news@acme.com', reply_to: 'jane@acme.com' });
  await act(sender.id);
  expect(sender).toMatchObject({ from: { email: 'news@acme.com' }, reply_to: { email: to }, verified: true });
  expect(await look(sender.id)).toEqual({ kind: 'clear' });
});

it('waits for a lock, and refuses without a successor', async () => {
  const sender = use.account.addLegacySender({ from: 'jane@acme.com', locked: true });
  expect(await look(sender.id)).toMatchObject({ kind: 'pending', remind: false });
  sender.locked = false;
  await expect(act(sender.id, null)).rejects.toMatchObject({ code: 'SENDGRID_UNSUPPORTED' });
  expect(use.changes()).toEqual([]);
});
