// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${NAME} is the syntax of the file
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { scrubber } from '#shared/telemetry/redact.js';
import { ConfigError, loadConfig } from './load.js';

const rest = `version: 1
authority: okta
sources:
  okta: { type: okta, orgUrl: https://acme.okta.com, token: okta-token-00000001, hookSecret: hook-secret-00000001 }
accounts:
  marketing: { apiKey: SG.key-000000000001 }
`;
const twilio = `targets:
  twilio:
    clientId: OQ00000000000000000000000000000001
    clientSecret: typed-into-the-file
`;

let path: string;
beforeAll(() => {
  path = join(mkdtempSync(join(tmpdir(), 'sendoff-target-')), 'sendoff.yaml');
});
afterAll(() => rmSync(join(path, '..'), { recursive: true }));

function load(targets: string, env: NodeJS.ProcessEnv = {}) {
  writeFileSync(path, rest + targets);
  return loadConfig({ path, env });
}

function linesOf(targets: string, env: NodeJS.ProcessEnv = {}): string[] {
  try {
    load(targets, env);
  } catch (error) {
    if (error instanceof ConfigError) return error.lines.map((line) => line.slice(path.length + 1));
    throw error;
  }
  return [];
}

describe('targets.twilio', () => {
  it('is not there unless somebody writes it', () => {
    expect(load('').config.targets).toEqual({});
    expect(load('targets: {}\n').config.targets).toEqual({});
  });

  it('needs an OAuth app; the rest has defaults, and does nothing yet', () => {
    expect(load(twilio).config.targets.twilio).toEqual({
      clientId: 'OQ00000000000000000000000000000001',
      clientSecret: 'typed-into-the-file',
      baseUrl: 'https://iam.twilio.com/scim/v2',
      tokenUrl: 'https://oauth.twilio.com/v2/token',
      mode: 'observe',
      action: 'deactivate',
    });
  });

  it('may hold every key', () => {
    const { config } = load(
      `${twilio}    refreshToken: \${REFRESH}
    baseUrl: https://Preview-IAM.twilio.com/Organizations/OR1/scim/
    tokenUrl: https://oauth.twilio.com/v2/token
    mode: enforce
    action: deactivate
`,
      { REFRESH: 'refresh-token-0001' },
    );
    expect(config.targets.twilio).toMatchObject({
      refreshToken: 'refresh-token-0001',
      baseUrl: 'https://preview-iam.twilio.com/Organizations/OR1/scim',
      mode: 'enforce',
    });
  });

  it('has secrets that are known as such, from the environment or not', () => {
    const text = `${twilio}    refreshToken: typed-in-as-well\n`;
    for (const { secrets } of [
      load(text),
      load(text.replace('typed-into-the-file', '${SECRET}'), { SECRET: 'typed-into-the-file' }),
    ]) {
      expect(secrets).toEqual(expect.arrayContaining(['typed-into-the-file', 'typed-in-as-well']));
      expect(scrubber(secrets)('a typed-into-the-file b typed-in-as-well')).toBe('a [redacted] b [redacted]');
    }
  });

  it('may point at this machine under SENDOFF_ENV=test', () => {
    const here = `${twilio}    baseUrl: http://127.0.0.1:4030/scim/v2\n    tokenUrl: http://localhost:4030/v2/token\n`;
    expect(load(here, { SENDOFF_ENV: 'test' }).config.targets.twilio).toMatchObject({
      baseUrl: 'http://127.0.0.1:4030/scim/v2',
      tokenUrl: 'http://localhost:4030/v2/token',
    });
    expect(linesOf(here)).toEqual([
      '11:5 targets.twilio.baseUrl: plain http to this machine is for tests only (write https://…, or set SENDOFF_ENV=test)',
      '12:5 targets.twilio.tokenUrl: plain http to this machine is for tests only (write https://…, or set SENDOFF_ENV=test)',
    ]);
  });

  it.each([
    'http://iam.twilio.com/scim/v2',
    'https://iam.twilio.com.evil.example/scim/v2',
    'https://a:b@iam.twilio.com/scim/v2',
    'https://iam.twilio.com:8443/scim/v2',
    'https://iam.twilio.com/scim/v2?a=b',
    'http://a@127.0.0.1/scim/v2',
    'iam.twilio.com/scim/v2',
  ])('does not point to %s, where its secret would go', (url) => {
    expect(linesOf(`${twilio}    baseUrl: ${url}\n    tokenUrl: ${url}\n`)).toEqual([
      '11:5 targets.twilio.baseUrl: is no address of Twilio (write https://iam.twilio.com/scim/v2)',
      '12:5 targets.twilio.tokenUrl: is no address of Twilio (write https://oauth.twilio.com/v2/token)',
    ]);
  });

  it.each([
    [
      'no secret',
      'targets: { twilio: { clientId: a } }\n',
      '7:12 targets.twilio.clientSecret: is missing (add it under targets.twilio)',
    ],
    [
      'an empty secret',
      twilio.replace('typed-into-the-file', '""'),
      '10:5 targets.twilio.clientSecret: is empty (give it its secret: an empty one would let everybody in, or nobody)',
    ],
    [
      'another action',
      `${twilio}    action: delete\n`,
      '11:5 targets.twilio.action: must be deactivate (write deactivate)',
    ],
    [
      'a misspelt mode',
      `${twilio}    mode: enforced\n`,
      '11:5 targets.twilio.mode: is none of observe, approve, enforce (did you mean enforce?)',
    ],
    [
      'an unknown key',
      `${twilio}    refreshtoken: x\n`,
      '11:5 targets.twilio.refreshtoken: there is no such key (did you mean refreshToken?)',
    ],
    [
      'an unknown target',
      'targets: { twillio: {} }\n',
      '7:12 targets.twillio: there is no such key (did you mean twilio?)',
    ],
  ])('a mistake is one line with place, key and remedy: %s', (_, targets, line) => {
    expect(linesOf(targets)).toEqual([line]);
  });
});
