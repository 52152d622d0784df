import { describe, expect, it } from 'vitest';
import { useAccount } from '#test/emulators/sendgrid/use-account.js';
import { forwardSpam } from './forward-spam.js';

const use = useAccount({ forwardSpam: 'abuse@acme.com, Jane@acme.com,ops@acme.com' });
const from = new Set(['jane@acme.com']);
const look = () => forwardSpam.look(use.client, 'forward-spam', from, 'kim@acme.com');
const act = (to: string | null) => forwardSpam.act(use.client, 'forward-spam', from, to, 'change');

describe('forward_spam', () => {
  it('lists every address in it', async () => {
    const addresses = ['abuse@acme.com', 'Jane@acme.com', 'ops@acme.com'];
    expect(await forwardSpam.list(use.client)).toEqual([
      { kind: 'forward-spam', id: 'forward-spam', label: 'spam report forwarding', addresses },
    ]);
    expect(await look()).toEqual({ kind: 'carries', fields: { email: 'Jane@acme.com' }, step: 'change' });
  });

  it.each<[string, string | null, string]>([
    ['abuse@acme.com, Jane@acme.com,ops@acme.com', 'kim@acme.com', 'abuse@acme.com, kim@acme.com, ops@acme.com'],
    ['Jane@acme.com,Kim@acme.com', 'kim@acme.com', 'kim@acme.com'],
    ['jane@acme.com', 'kim@acme.com', 'kim@acme.com'],
    ['jane@acme.com, JANE@acme.com, ops@acme.com', 'kim@acme.com', 'kim@acme.com, ops@acme.com'],
    ['abuse@acme.com, Jane@acme.com', null, 'abuse@acme.com'],
  ])('%s becomes, with %s, %s', async (before, to, after) => {
    use.account.forwardSpam.email = before;
    await act(to);
    expect(use.account.forwardSpam).toEqual({ email: after, enabled: true });
    expect(await look()).toEqual({ kind: 'clear' });
  });

  it('is never emptied', async () => {
    use.account.forwardSpam.email = 'jane@acme.com';
    await expect(act(null)).rejects.toMatchObject({ name: 'SendGridRefused', code: 'SENDGRID_UNSUPPORTED' });
    expect(await look()).toMatchObject({ kind: 'carries' });
    expect(use.changes()).toEqual([]);
  });

  it('is not written when the leaver is not in it', async () => {
    use.account.forwardSpam.email = 'not-jane@acme.com, jane@acme.com.example';
    await act('kim@acme.com');
    expect(await look()).toEqual({ kind: 'clear' });
    expect(use.changes()).toEqual([]);
  });
});
