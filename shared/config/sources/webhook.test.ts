import { describe, expect, it } from 'vitest';
import { webhook } from './webhook.js';

const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const key = `whpk_${Buffer.alloc(32, 7).toString('base64')}`;
const complaint = (more: object) =>
  webhook.schema
    .safeParse({ type: 'webhook', signingSecret: secret, ...more })
    .error?.issues.map(({ message }) => message)
    .join();
const mapping = { type: 'a', types: { left: 'terminated' } };

describe('shared/config/sources/webhook', () => {
  it.each([[secret], [key], [[key, secret]]])('takes %j', (signingSecret) => {
    expect(complaint({ signingSecret })).toBeUndefined();
  });

  it.each<[unknown, string]>([
    ['MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'is no signing secret'],
    ['whsec_', 'is no signing secret'],
    ['whsec_not base64', 'is no signing secret'],
    [secret.slice(0, -1), 'is no signing secret'],
    [key.slice(0, -8), 'is no signing secret'],
    [`whsk_${'A'.repeat(88)}`, 'private key'],
    [[secret, secret, secret], 'neither a secret nor a list of two'],
    ['', 'is empty'],
  ])('refuses %j, and repeats nothing of it', (signingSecret, message) => {
    const said = complaint({ signingSecret });
    expect(said).toContain(message);
    expect(said).not.toContain('MfKQ9');
  });

  it.each(['a', 'a.b[0].c d', '[0].x', '$', 'a[1][2]'])('takes the path %s', (type) => {
    expect(complaint({ mapping: { ...mapping, type, email: 'x' } })).toBeUndefined();
  });

  it.each(['', '.a', 'a.', 'a..b', 'a[x]', 'a[*]', '$.a', 'a[0]b', 'a]'])('refuses the path %j', (type) => {
    expect(complaint({ mapping: { ...mapping, type, email: 'x' } })).toContain('is no path');
  });

  it('asks for a mapping that can name somebody', () => {
    const texts = (more: object) =>
      webhook.findings(more as Record<string, unknown>, ['sources', 'hris']).map(({ text }) => text);
    expect(texts({ mapping })).toEqual([expect.stringContaining('says of nobody')]);
    expect(texts({ mapping: { ...mapping, id: 'x' } })).toEqual([expect.stringContaining('sources.hris.ids')]);
    expect(texts({ mapping: { ...mapping, id: 'x' }, ids: 'okta' })).toEqual([]);
    expect(texts({ mapping: { ...mapping, email: 'x' } })).toEqual([]);
  });

  it('notices a secret that can be guessed', () => {
    const parsed = webhook.schema.parse({
      type: 'webhook',
      signingSecret: `whsec_${Buffer.alloc(16).toString('base64')}`,
    });
    expect(webhook.notices(parsed, 'sources.hris')).toEqual([expect.stringContaining('fewer than 24 bytes')]);
    expect(webhook.noDirectory({})).toContain('has no directory');
  });
});
