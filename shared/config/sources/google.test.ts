import { describe, expect, it } from 'vitest';
import { google } from './google.js';

const valid = {
  type: 'google',
  clientEmail: 'sendoff@acme-project.iam.gserviceaccount.com',
  privateKey: '-----BEGIN PRIVATE KEY-----\\nAAAA\\n-----END PRIVATE KEY-----\\n',
  subject: 'admin@acme.com',
  channelToken: 'channel-token-0123456789',
};

describe('shared/config/sources/google', () => {
  it('needs no more than who asks, in whose name, and a token', () => {
    expect(google.schema.parse(valid)).toMatchObject({
      customer: 'my_customer',
      privateKey: '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n',
      channelToken: ['channel-token-0123456789'],
      archived: 'terminated',
      suspendedByGoogle: 'suspended',
      poll: 300_000,
      baseUrl: 'https://admin.googleapis.com',
      tokenUrl: 'https://oauth2.googleapis.com',
    });
  });

  it.each([
    ['baseUrl', 'https://admin.googleapis.com.evil.example'],
    ['baseUrl', 'https://oauth2.googleapis.com'],
    ['baseUrl', 'http://admin.googleapis.com'],
    ['tokenUrl', 'https://evil.example'],
    ['tokenUrl', 'http://127.0.0.1:1/elsewhere'],
    ['privateKey', '{"private_key": "x"}'],
    ['channelToken', 'x'.repeat(257)],
    ['channelToken', ['a', 'b', 'c']],
    ['subject', 'admin'],
    ['customer', 'acme.com'],
    ['domain', 'https://acme.com'],
    ['archived', 'gone'],
  ])('refuses %s: %j', (key, value) => {
    const { error } = google.schema.safeParse({ ...valid, [key]: value });
    expect(error?.issues.map(({ path }) => path[0])).toEqual([key]);
  });

  it('asks nobody but Google outside tests: both addresses are watched for this machine', () => {
    expect(google.urls).toEqual(['baseUrl', 'tokenUrl']);
  });
});
