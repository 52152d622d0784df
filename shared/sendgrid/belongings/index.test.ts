import { describe, expect, it } from 'vitest';
import { belongingKinds } from '#shared/lifecycle/belonging.js';
import { useAccount } from '#test/emulators/sendgrid/use-account.js';
import type { SendGridClient } from '../client.js';
import { inSubuser } from '../in-subuser.js';
import { belongingNouns } from './index.js';

const jane = 'jane@acme.com';
const kim = 'kim@acme.com';
const everywhere = {
  verifiedSenders: [{ from_email: jane }],
  senders: [{ from: jane }],
  legacySenders: [{ from: jane }],
  alerts: [{ email_to: jane }],
  forwardBounce: jane,
  forwardSpam: jane,
  addressWhitelist: [jane],
};
const use = useAccount({ ...everywhere, subusers: [{ id: 1, username: 'brand-eu', ...everywhere }] });

describe('belongingNouns', () => {
  it('are one for each kind, and each lists its own', async () => {
    expect(Object.keys(belongingNouns)).toEqual([...belongingKinds]);
    for (const kind of belongingKinds) {
      expect((await belongingNouns[kind].list(use.client)).map((one) => one.kind)).toEqual([kind]);
    }
  });

  it.each([null, 'brand-eu'])('step by step, leave no trace of the leaver (subuser: %s)', async (subuser) => {
    const client = subuser === null ? use.client : inSubuser(use.client, subuser);
    const space = subuser === null ? use.account : use.account.inSubuser(subuser);
    await moveAll(client);
    expect(space.holds(jane)).toBe(false);
    const other = subuser === null ? use.account.inSubuser('brand-eu') : use.account;
    expect(other.holds(jane)).toBe(true);
    expect([...space.verifiedSenders.values()].map((one) => one.from_email)).toEqual([kim]);
  });

  // Whether `on-behalf-of` means anything to verified senders is not certain (sendgrid.md §2).
  it('get there too when verified senders are the parent’s, whoever is acted for', async () => {
    const ignoresOnBehalfOf = ['/v3/verified_senders'];
    const subusers = [{ id: 1, username: 'brand-eu', ...everywhere, verifiedSenders: [] }];
    const seed = structuredClone({ ...everywhere, subusers });
    use.account = use.emulator.addAccount({ name: 'marketing', apiKey: 'SG.marketing', ignoresOnBehalfOf, ...seed });
    await moveAll(inSubuser(use.client, 'brand-eu'));
    expect(use.account.inSubuser('brand-eu').holds(jane)).toBe(false);
    expect([...use.account.verifiedSenders.values()].map((one) => one.from_email)).toEqual([kim]);
  });
});

/** Looks and acts until everything is clear; every verification mail is answered. */
async function moveAll(client: SendGridClient): Promise<void> {
  const from = new Set([jane]);
  const all = (await Promise.all(belongingKinds.map((kind) => belongingNouns[kind].list(client)))).flat();
  expect(all.every(({ addresses }) => addresses.includes(jane))).toBe(true);
  for (let rounds = 0; rounds < 8; rounds += 1) {
    for (const { kind, id } of all) {
      const state = await belongingNouns[kind].look(client, id, from, kim);
      if (state.kind === 'carries') await belongingNouns[kind].act(client, id, from, kim, state.step);
    }
    for (const space of [use.account, use.account.inSubuser('brand-eu')]) {
      for (const { senderId } of space.mails) space.verifySender(senderId);
    }
  }
  for (const { kind, id } of all) {
    expect(await belongingNouns[kind].look(client, id, from, kim)).toEqual({ kind: 'clear' });
  }
}
