import { describe, expect, it } from 'vitest';
import type { SourceTools } from '../source.js';
import { answerValidation, verify } from './verify.js';

const tenantId = '0d4ca527-dc44-43d1-84c1-b63d1b1e024d';
const item = {
  subscriptionId: 's1',
  clientState: 'new-state',
  tenantId,
  changeType: 'updated',
  resource: 'Users/u1',
  resourceData: { id: 'u1', organizationId: tenantId },
};
type Row = Awaited<ReturnType<SourceTools['subscriptions']>>[number];
const known =
  (...remoteIds: (string | null)[]) =>
  async () =>
    remoteIds.map((remoteId) => ({ remoteId }) as Row);
const request = (body: unknown, query: Record<string, unknown> = {}) => ({
  part: 'events' as const,
  headers: {},
  rawHeaders: [],
  query,
  body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
});
const verdict = (body: unknown, subscriptions = known('s1', 's2'), clientStates = ['new-state', 'old-state']) =>
  verify(request(body), { tenantId, clientStates, subscriptions });

describe('producers/entra/verify', () => {
  it.each<[string, unknown]>([
    ['the first secret', { value: [item] }],
    ['the second while rotating', { value: [{ ...item, clientState: 'old-state' }] }],
    ['several subscriptions in one delivery', { value: [item, { ...item, subscriptionId: 's2' }] }],
    ['a tenant in capitals', { value: [{ ...item, tenantId: tenantId.toUpperCase() }] }],
    ['a lifecycle notification', { value: [{ ...item, resourceData: undefined, lifecycleEvent: 'missed' }] }],
  ])('accepts %s', async (_, body) => {
    expect(await verdict(body)).toEqual({ ok: true });
  });

  it.each<[string, unknown]>([
    ['another clientState', { value: [{ ...item, clientState: 'other' }] }],
    ['another case', { value: [{ ...item, clientState: 'New-State' }] }],
    ['an empty one', { value: [{ ...item, clientState: '' }] }],
    ['none', { value: [{ ...item, clientState: undefined }] }],
    ['one that is no text', { value: [{ ...item, clientState: ['new-state'] }] }],
    ['one forged item among good ones', { value: [item, { ...item, clientState: 'other' }, item] }],
    ['another tenant', { value: [{ ...item, tenantId: 'ffffffff-dc44-43d1-84c1-b63d1b1e024d' }] }],
    ['no tenant', { value: [{ ...item, tenantId: undefined }] }],
    ['another organization', { value: [{ ...item, resourceData: { ...item.resourceData, organizationId: 'x' } }] }],
    ['an unknown subscription', { value: [{ ...item, subscriptionId: 's9' }] }],
    ['an unknown one among known ones', { value: [item, { ...item, subscriptionId: 's9' }] }],
    ['validation tokens, which users and groups never have', { value: [item], validationTokens: ['ey.ey.ey'] }],
    ['no items', { value: [] }],
    ['items that are none', { value: [7] }],
    ['no collection', item],
    ['half a body', '{"value":[{"clientState":"new-state"'],
    ['nothing', ''],
  ])('discards %s', async (_, body) => {
    expect(await verdict(body)).toEqual({ ok: false, why: 'discarded' });
  });

  it('believes a notification that overtakes the answer to the call that made its subscription', async () => {
    expect(await verdict({ value: [item] }, known(null))).toEqual({ ok: true });
    expect(await verdict({ value: [{ ...item, clientState: 'other' }] }, known(null))).toEqual({
      ok: false,
      why: 'discarded',
    });
  });

  it.each([[[]], [['']]])('believes nobody without a secret of its own: %j', async (states) => {
    expect(await verdict({ value: [{ ...item, clientState: '' }] }, known('s1'), states)).toEqual({
      ok: false,
      why: 'misconfigured',
    });
  });

  it('asks for no subscription before the secret is proven', async () => {
    let asked = 0;
    await verdict({ value: [{ ...item, clientState: 'other' }] }, async () => {
      asked += 1;
      return [];
    });
    expect(asked).toBe(0);
  });

  it('answers a validation with the token as text', () => {
    const validationToken = 'Validation: Testing client application reachability for subscription Request-Id: 522a8e7e';
    expect(answerValidation(request('', { validationToken }))).toEqual({
      status: 200,
      headers: { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' },
      body: validationToken,
    });
  });

  it.each<[string, unknown]>([
    ['none', undefined],
    ['an empty one', ''],
    ['several', ['a', 'b']],
    ['a line break', 'a\nb'],
    ['what is no ASCII', 'ä'],
    ['more than a token', 'x'.repeat(1_025)],
  ])('echoes no token: %s', (_, validationToken) => {
    expect(answerValidation(request('', { validationToken }))).toBeNull();
  });
});
