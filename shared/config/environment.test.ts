import { describe, expect, it } from 'vitest';
import { ConfigError } from './config-error.js';
import { readEnvironment } from './environment.js';

function linesOf(env: NodeJS.ProcessEnv): string[] {
  try {
    readEnvironment(env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.lines;
    throw error;
  }
}

describe('readEnvironment', () => {
  it('has a default for everything, and with it nobody else reaches this machine', () => {
    expect(readEnvironment({})).toEqual({
      port: 3_000,
      host: '127.0.0.1',
      databaseUrl: null,
      databaseTls: 'auto',
      redisUrl: null,
      redisTls: 'auto',
      redisEvictionUnchecked: false,
      configPath: null,
      dataDir: '.sendoff',
      adminToken: null,
      signingKey: null,
      isTest: false,
      failpoint: null,
      trustedProxies: 0,
      logLevel: 'info',
      server: null,
      token: null,
      traces: null,
      secrets: [],
    });
  });

  it('takes an empty variable for one that is not set', () => {
    const names = [
      'PORT',
      'HOST',
      'DATABASE_URL',
      'DATABASE_TLS',
      'REDIS_URL',
      'REDIS_TLS',
      'SENDOFF_CONFIG',
      'SENDOFF_DATA',
      'SENDOFF_SERVER',
      'SENDOFF_SIGNING_KEY',
      'SENDOFF_TOKEN',
      'SENDOFF_ENV',
      'SENDOFF_FAILPOINT',
      'LOG_LEVEL',
      'OTEL_EXPORTER_OTLP_ENDPOINT',
      'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
      'OTEL_EXPORTER_OTLP_HEADERS',
      'OTEL_EXPORTER_OTLP_PROTOCOL',
      'OTEL_SERVICE_NAME',
      'OTEL_SDK_DISABLED',
    ];
    expect(readEnvironment(Object.fromEntries(names.map((name) => [name, ''])))).toEqual(readEnvironment({}));
  });

  it.each([
    ['a laptop with a port of its own', { PORT: '8080' }, '127.0.0.1', 0],
    ['a database elsewhere', { DATABASE_URL: 'postgres://db/x' }, '0.0.0.0', 0],
    ['Heroku', { DYNO: 'web.1', PORT: '5000', DATABASE_URL: 'postgres://db/x' }, '0.0.0.0', 1],
    ['Render with a disk', { RENDER: 'true', PORT: '10000' }, '0.0.0.0', 1],
    ['what the operator says', { RENDER: 'true', HOST: '10.0.0.5', SENDOFF_TRUSTED_PROXIES: '2' }, '10.0.0.5', 2],
  ])('listens where it is meant to: %s', (_where, env, host, trustedProxies) => {
    expect(readEnvironment(env)).toMatchObject({ host, trustedProxies });
  });

  it('knows the secrets in it, in each form in which they turn up', () => {
    const { secrets } = readEnvironment({
      SENDOFF_ADMIN_TOKEN: 'admin-token-0123456789',
      SENDOFF_SIGNING_KEY: 'signing-key',
      SENDOFF_TOKEN: 'sendoff_token-0123456789',
      DATABASE_URL: 'postgres://u:p%40ss%2Fword@db/x',
      REDIS_URL: 'redis://:redis-pass@cache:6379',
    });
    expect(secrets).toEqual([
      'admin-token-0123456789',
      'signing-key',
      'sendoff_token-0123456789',
      'p%40ss%2Fword',
      'p@ss/word',
      'redis-pass',
      'redis-pass',
    ]);
  });

  it('hides a database URL whole when its password cannot be told from the rest', () => {
    const url = 'postgres://u:pa#ss@[db/x';
    expect(readEnvironment({ DATABASE_URL: url }).secrets).toEqual([url]);
  });

  it.each<[string, NodeJS.ProcessEnv, string[]]>([
    [
      'token',
      { SENDOFF_ADMIN_TOKEN: 'short' },
      ['SENDOFF_ADMIN_TOKEN: is shorter than 16 characters (make one: openssl rand -hex 24)'],
    ],
    [
      'empty token',
      { SENDOFF_ADMIN_TOKEN: '' },
      ['SENDOFF_ADMIN_TOKEN: is shorter than 16 characters (make one: openssl rand -hex 24)'],
    ],
    ['port', { PORT: '80a' }, ['PORT: is no whole number from 0 to 65535 (correct it, or unset it)']],
    ['high port', { PORT: '70000' }, ['PORT: is no whole number from 0 to 65535 (correct it, or unset it)']],
    [
      'TLS',
      { DATABASE_TLS: 'require' },
      ['DATABASE_TLS: is none of auto, verify, no-verify, off (set one of them, or unset it for auto)'],
    ],
    [
      'level',
      { LOG_LEVEL: 'loud' },
      ['LOG_LEVEL: is none of trace, debug, info, warn, error, fatal, silent (set one of them, or unset it for info)'],
    ],
    [
      'environment',
      { SENDOFF_ENV: 'development' },
      ['SENDOFF_ENV: is none of production, test (set one of them, or unset it for production)'],
    ],
    [
      'database',
      { DATABASE_URL: 'mysql://u:hunter2hunter2@db' },
      ['DATABASE_URL: is no such URL (it begins with postgres:// or postgresql://)'],
    ],
    [
      'eviction',
      { SENDOFF_REDIS_EVICTION_UNCHECKED: 'yes' },
      ['SENDOFF_REDIS_EVICTION_UNCHECKED: is none of 0, 1 (set one of them, or unset it for 0)'],
    ],
    [
      'failpoint',
      { SENDOFF_FAILPOINT: 'intake.after_commit:kill' },
      ['SENDOFF_FAILPOINT: ends the process at a chosen instant, for tests only (unset it)'],
    ],
    [
      'certificates',
      { NODE_TLS_REJECT_UNAUTHORIZED: '0' },
      [
        'NODE_TLS_REJECT_UNAUTHORIZED: 0 switches off every certificate check (unset it; for a managed database set DATABASE_TLS=no-verify or REDIS_TLS=no-verify)',
      ],
    ],
    [
      'open Redis',
      { REDIS_URL: 'redis://:pw@redis.example.com:6379' },
      [
        'REDIS_URL: would cross the network unencrypted (use rediss://, or set REDIS_TLS=off when the network is private)',
      ],
    ],
    [
      'several',
      { PORT: '-1', LOG_LEVEL: 'x' },
      [
        'PORT: is no whole number from 0 to 65535 (correct it, or unset it)',
        'LOG_LEVEL: is none of trace, debug, info, warn, error, fatal, silent (set one of them, or unset it for info)',
      ],
    ],
  ])('refuses a bad one, without repeating it: %s', (_what, env, lines) => {
    expect(linesOf(env)).toEqual(lines);
  });

  it.each([
    'redis://127.0.0.1',
    'redis://redis:6379',
    'redis://red-abc:6379',
    'redis://10.1.2.3',
    'redis://cache.internal',
    'redis://[::1]:6379',
    'rediss://redis.example.com',
  ])('takes %s', (url) => {
    expect(readEnvironment({ REDIS_URL: url }).redisUrl).toBe(url);
  });

  it('lets tests do what nobody else may', () => {
    const env = {
      SENDOFF_ENV: 'test',
      SENDOFF_FAILPOINT: 'intake.after_commit:kill',
      NODE_TLS_REJECT_UNAUTHORIZED: '0',
      REDIS_TLS: 'off',
    };
    expect(readEnvironment(env)).toMatchObject({
      isTest: true,
      failpoint: 'intake.after_commit:kill',
      redisTls: 'off',
    });
  });
});

describe('traces', () => {
  const endpoint = 'https://otel.acme.com:4318';

  it.each([
    ['a collector', { OTEL_EXPORTER_OTLP_ENDPOINT: `${endpoint}/` }, `${endpoint}/v1/traces`],
    ['one for traces alone, as it stands', { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${endpoint}/t` }, `${endpoint}/t`],
    [
      'both: the one for traces',
      { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${endpoint}/t` },
      `${endpoint}/t`,
    ],
    ['switched off', { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_SDK_DISABLED: 'true' }, undefined],
    ['no endpoint', { OTEL_SERVICE_NAME: 'sendoff' }, undefined],
  ])('go to %s', (_what, env, url) => {
    expect(readEnvironment(env).traces?.url).toBe(url);
  });

  it('carry the headers that the collector wants, which nobody is shown', () => {
    const read = readEnvironment({
      OTEL_EXPORTER_OTLP_ENDPOINT: 'https://me:pass-0123@otel.acme.com',
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20collector-key,x-tenant=acme',
      OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'x-tenant=traces',
    });
    expect(read.traces?.headers).toEqual({ authorization: 'Bearer collector-key', 'x-tenant': 'traces' });
    expect(read.traces?.serviceName).toBe('sendoff');
    expect(read.secrets).toEqual(expect.arrayContaining(['Bearer collector-key', 'pass-0123']));
  });

  it.each([
    ['an endpoint that is no URL', { OTEL_EXPORTER_OTLP_ENDPOINT: 'otel:4318' }, /^OTEL_EXPORTER_OTLP_ENDPOINT: /],
    ['headers that are none', { OTEL_EXPORTER_OTLP_HEADERS: 'Bearer x' }, /^OTEL_EXPORTER_OTLP_HEADERS: /],
    [
      'a protocol that is not spoken',
      { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' },
      /^OTEL_EXPORTER_OTLP_PROTOCOL: .*http\/protobuf/,
    ],
  ])('refuse %s', (_what, env, line) => {
    expect(linesOf(env)).toEqual([expect.stringMatching(line)]);
  });
});
