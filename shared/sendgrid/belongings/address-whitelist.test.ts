import { expect, it } from 'vitest';
import { useAccount } from '#test/emulators/sendgrid/use-account.js';
import { addressWhitelist } from './address-whitelist.js';

const use = useAccount({ addressWhitelist: ['acme.com', 'Jane@acme.com', 'kim@acme.com', 'jane.acme.com'] });
const from = new Set(['jane@acme.com', 'jane.doe@acme.com']);
const look = () => addressWhitelist.look(use.client, 'address-whitelist', from, 'lee@acme.com');
const act = (to: string | null) => addressWhitelist.act(use.client, 'address-whitelist', from, to, 'remove');

it('lists addresses, not domains', async () => {
  const addresses = ['Jane@acme.com', 'kim@acme.com'];
  expect(await addressWhitelist.list(use.client)).toEqual([
    { kind: 'address-whitelist', id: 'address-whitelist', label: 'address allow list', addresses },
  ]);
});

it.each(['lee@acme.com', null])('loses the leaver, and gains nobody (successor: %s)', async (to) => {
  expect(await look()).toEqual({ kind: 'carries', fields: { list: 'Jane@acme.com' }, step: 'remove' });
  await act(to);
  expect(use.account.addressWhitelist).toEqual({ list: ['acme.com', 'kim@acme.com', 'jane.acme.com'], enabled: true });
  expect(await look()).toEqual({ kind: 'clear' });
});

it('may become empty', async () => {
  use.account.addressWhitelist.list = ['jane@acme.com'];
  await act(null);
  expect(use.account.addressWhitelist).toEqual({ list: [], enabled: true });
  expect(await addressWhitelist.list(use.client)).toEqual([]);
});

it('is not written when the leaver is not in it, or when it is not there', async () => {
  use.account.addressWhitelist.list = ['acme.com'];
  await act(null);
  use.emulator.faults.inject({ fault: { kind: 'status', status: 404 } });
  expect(await look()).toEqual({ kind: 'clear' });
  await act(null);
  expect(use.changes()).toEqual([]);
});
