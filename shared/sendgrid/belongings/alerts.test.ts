import { expect, it } from 'vitest';
import { useAccount } from '#test/emulators/sendgrid/use-account.js';
import { alerts } from './alerts.js';

const use = useAccount();
const from = new Set(['jane@acme.com']);
const to = 'kim@acme.com';

it('are listed with what they are about', async () => {
  use.account.addAlert({ email_to: 'Jane@acme.com' });
  use.account.addAlert({ email_to: 'ops@acme.com', frequency: 'weekly' });
  expect(await alerts.list(use.client)).toEqual([
    { kind: 'alert', id: '1', label: 'alert at 90 % of the credits', addresses: ['Jane@acme.com'] },
    { kind: 'alert', id: '2', label: 'weekly statistics mail', addresses: ['ops@acme.com'] },
  ]);
  use.emulator.faults.inject({ times: 1, fault: { kind: 'status', status: 404 } });
  expect(await alerts.list(use.client)).toEqual([]);
  use.emulator.faults.inject({ times: 1, fault: { kind: 'status', status: 403 } });
  await expect(alerts.list(use.client)).rejects.toMatchObject({ code: 'SENDGRID_FORBIDDEN' });
});

it.each([{ frequency: 'weekly' }, { percentage: 75 }])('go to the successor, %j as before', async (rhythm) => {
  const alert = use.account.addAlert({ email_to: 'Jane@acme.com', ...rhythm });
  const other = use.account.addAlert({ email_to: 'ops@acme.com' });
  const id = `${alert.id}`;
  expect(await alerts.look(use.client, id, from, to)).toEqual({
    kind: 'carries',
    fields: { email_to: 'Jane@acme.com' },
    step: 'change',
  });
  await alerts.act(use.client, id, from, to, 'change');
  expect(alert).toMatchObject({ email_to: to, ...rhythm });
  expect(use.lastBody()).toEqual({ email_to: to, ...rhythm });
  expect(await alerts.look(use.client, id, from, to)).toEqual({ kind: 'clear' });
  expect(await alerts.look(use.client, `${other.id}`, from, to)).toEqual({ kind: 'clear' });
});

it('are clear when they are gone, and stay when nobody succeeds', async () => {
  expect(await alerts.look(use.client, '99', from, to)).toEqual({ kind: 'clear' });
  const { id } = use.account.addAlert({ email_to: 'jane@acme.com' });
  await expect(alerts.act(use.client, `${id}`, from, null, 'change')).rejects.toMatchObject({
    code: 'SENDGRID_UNSUPPORTED',
  });
  expect(use.changes()).toEqual([]);
});
