import { expect, it } from 'vitest';
import { useAccount } from '#test/emulators/sendgrid/use-account.js';
import { forwardBounce } from './forward-bounce.js';

const use = useAccount({ forwardBounce: 'Jane@acme.com' });
const from = new Set(['jane@acme.com']);
const look = () => forwardBounce.look(use.client, 'forward-bounce', from, 'kim@acme.com');
const act = (to: string | null) => forwardBounce.act(use.client, 'forward-bounce', from, to, 'change');

it.each([true, false])('goes to the successor, switched on (%s) as before', async (enabled) => {
  use.account.forwardBounce.enabled = enabled;
  expect(await forwardBounce.list(use.client)).toEqual([
    { kind: 'forward-bounce', id: 'forward-bounce', label: 'bounce forwarding', addresses: ['Jane@acme.com'] },
  ]);
  expect(await look()).toEqual({ kind: 'carries', fields: { email: 'Jane@acme.com' }, step: 'change' });
  await act('kim@acme.com');
  expect(use.account.forwardBounce).toEqual({ email: 'kim@acme.com', enabled });
  expect(await look()).toEqual({ kind: 'clear' });
});

it('is left alone when it is somebody else’s, empty, or not there', async () => {
  use.account.forwardBounce.email = 'ops@acme.com';
  await act('kim@acme.com');
  use.account.forwardBounce.email = null;
  expect(await forwardBounce.list(use.client)).toEqual([]);
  expect(await look()).toEqual({ kind: 'clear' });
  use.emulator.faults.inject({ fault: { kind: 'status', status: 404 } });
  expect(await forwardBounce.list(use.client)).toEqual([]);
  expect(await look()).toEqual({ kind: 'clear' });
  expect(use.changes()).toEqual([]);
});

it('stays when nobody succeeds: it holds one address and no list', async () => {
  await expect(act(null)).rejects.toMatchObject({ code: 'SENDGRID_UNSUPPORTED' });
  expect(use.changes()).toEqual([]);
});
