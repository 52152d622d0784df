import { describe, expect, it } from 'vitest';
import { authorityHostOf, entra } from './entra.js';

const source = {
  type: 'entra',
  tenantId: '0D4CA527-dc44-43d1-84c1-b63d1b1e024d',
  clientId: '24d3b144-21ae-4080-943f-7067b395b913',
  clientSecret: 'secret',
  clientState: 'client-state-0123456789',
};
const certificate = '-----BEGIN CERTIFICATE-----\\nAAAA\\n-----END CERTIFICATE-----';
const isFine = (more: Record<string, unknown>) => entra.schema.safeParse({ ...source, ...more }).success;
const findings = (more: Record<string, unknown>) =>
  entra.findings({ ...source, ...more }, ['sources', 'entra']).map(({ path }) => path.slice(2).join('.'));

describe('shared/config/sources/entra', () => {
  it('has defaults for all but the tenant, the app and their secrets', () => {
    expect(entra.schema.parse(source)).toMatchObject({
      tenantId: '0d4ca527-dc44-43d1-84c1-b63d1b1e024d',
      clientState: ['client-state-0123456789'],
      disabled: 'suspended',
      poll: 300_000,
      graphUrl: 'https://graph.microsoft.com',
    });
  });

  it.each([
    ['https://graph.microsoft.com', 'https://login.microsoftonline.com'],
    ['https://graph.microsoft.us', 'https://login.microsoftonline.us'],
    ['https://microsoftgraph.chinacloudapi.cn', 'https://login.chinacloudapi.cn'],
    ['https://127.0.0.1:8443', 'https://127.0.0.1:8443'],
  ])('%s takes tokens from %s', (graphUrl, authorityHost) => {
    expect(authorityHostOf(entra.schema.parse({ ...source, graphUrl }))).toBe(authorityHost);
  });

  it.each<[string, Record<string, unknown>]>([
    ['a tenant by its domain', { tenantId: 'acme.onmicrosoft.com' }],
    ['another Graph', { graphUrl: 'https://graph.acme.com' }],
    ['plain http, over which no token is sent', { graphUrl: 'http://127.0.0.1:8080' }],
    ['another sign-in host', { authorityHost: 'https://login.acme.com' }],
    ['a clientState that Graph refuses', { clientState: 'x'.repeat(128) }],
    ['a key where its certificate belongs', { certificate: '-----BEGIN PRIVATE KEY-----' }],
    ['another meaning of disabled', { disabled: 'deleted' }],
    ['the name of an app', { app: 'SendGrid' }],
  ])('refuses %s', (_, more) => {
    expect(isFine(more)).toBe(false);
  });

  it.each<[string[], Record<string, unknown>]>([
    [[], {}],
    [['privateKey', 'certificate'], { privateKey: 'k', certificate }],
    [[''], { clientSecret: undefined }],
    [['certificate'], { clientSecret: undefined, privateKey: 'k' }],
    [['privateKey'], { clientSecret: undefined, certificate }],
    [[], { clientSecret: undefined, privateKey: 'k', certificate }],
    [['authorityHost'], { graphUrl: 'https://graph.microsoft.us', authorityHost: 'https://login.microsoftonline.com' }],
  ])('finds %j in %j', (where, more) => {
    expect(findings(more)).toEqual(where);
  });

  it('reads a certificate that an environment variable carries on one line', () => {
    const { clientSecret: _, ...rest } = source;
    expect(entra.schema.parse({ ...rest, privateKey: 'k', certificate }).certificate).toContain('\nAAAA\n');
  });
});
