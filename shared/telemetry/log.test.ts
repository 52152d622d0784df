import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { PermanentError, SendoffError } from '#shared/errors.js';
import { createLog, type LogOptions } from './log.js';

const secrets = {
  apiKey: 'planted-api-key-0001',
  token: 'planted/okta+token=0002',
  hook: 'planted "hook" secret 0003',
  digits: '70123456',
};

function recorder(options: Partial<LogOptions> = {}) {
  const lines: string[] = [];
  const log = createLog({
    level: 'trace',
    role: 'worker',
    secrets: Object.values(secrets),
    destination: { write: (line: string) => void lines.push(line) },
    ...options,
  });
  return {
    log,
    lines,
    /** The one record written, after the proof that it is one line and holds no planted secret. */
    record(): Record<string, unknown> {
      const text = lines.join('');
      expect(text.trimEnd().split(/[\n\r\u0085\u2028\u2029]/)).toHaveLength(1);
      expect(text).not.toMatch(/planted|70123456|cGxhbnRlZ/);
      return JSON.parse(text) as Record<string, unknown>;
    },
  };
}

describe('a log line', () => {
  it('is JSON with time, level, role, fields and a message', () => {
    const { log, record } = recorder();
    log.info({ account: 'marketing' }, 'the account’s work goes on');
    expect(record()).toEqual({
      level: 30,
      time: expect.stringMatching(/^\d{4}-.*Z$/) as string,
      role: 'worker',
      pid: process.pid,
      account: 'marketing',
      msg: 'the account’s work goes on',
    });
  });

  it('is not written below its level', () => {
    const { log, lines } = recorder({ level: 'warn' });
    log.info('quiet');
    expect(lines).toEqual([]);
  });
});

describe('planted secrets never reach the log', () => {
  const { apiKey, token, hook, digits } = secrets;

  it.each<[string, Record<string, unknown>]>([
    ['a field', { note: `key ${apiKey}` }],
    ['a nested field', { a: { b: [{ c: { d: { e: token } } }] } }],
    ['a name', { [hook]: 1 }],
    ['a URL', { url: `https://x/?t=${encodeURIComponent(token)}` }],
    ['a Basic header', { note: Buffer.from(`user:${apiKey}`).toString('base64') }],
    ['a number', { n: Number(digits), m: 10_701_234_560 }],
    ['a JSON text', { body: JSON.stringify({ hook }) }],
  ])('in %s', (_where, fields) => {
    const { log, record } = recorder();
    log.warn(fields, 'something odd');
    expect(JSON.stringify(record())).toContain('[redacted]');
  });

  it('in the message, its arguments and the fields of a child', () => {
    for (const write of [
      (log: ReturnType<typeof recorder>['log']) => log.info(`with ${hook}`),
      (log: ReturnType<typeof recorder>['log']) => log.info('with %s and %j', apiKey, { hook }),
      (log: ReturnType<typeof recorder>['log']) =>
        log.child({ key: apiKey, token: 'unknown-to-all', nested: { hook } }).info('child'),
    ]) {
      const { log, record } = recorder();
      write(log);
      expect(JSON.stringify(record())).not.toContain('unknown-to-all');
    }
  });

  it.each(['authorization', 'Authorization', 'AUTHORIZATION', 'X-Api-Key', 'set-cookie'])(
    'under %s, known or not',
    (header) => {
      const { log, record } = recorder();
      log.info({ a: { b: { [header]: 'unknown-to-all' } } }, 'headers');
      expect(JSON.stringify(record())).not.toContain('unknown-to-all');
    },
  );

  it('in errors with requests, headers and causes as HTTP libraries make them', () => {
    const inner = Object.assign(new Error(`inner ${apiKey}`), {
      code: 'ECONNRESET',
      config: { headers: { Authorization: 'unknown-to-all' }, data: 'unknown-to-all' },
      request: { _header: 'Authorization: unknown-to-all' },
      response: { headers: {}, body: 'unknown-to-all' },
      options: { token: 'unknown-to-all' },
    });
    const { log, record } = recorder();
    log.error({ err: new Error('outer', { cause: inner }), nested: { reason: inner }, list: [inner] }, 'failed');
    const written = record();
    expect(JSON.stringify(written)).not.toContain('unknown-to-all');
    expect(written.err).toEqual({
      name: 'Error',
      message: 'outer',
      stack: expect.stringMatching(/^ +at /) as string,
      cause: { name: 'Error', code: 'ECONNRESET', message: 'inner [redacted]', stack: expect.any(String) as string },
    });
  });

  it('in errors of the Okta SDK, whose status and code stay', () => {
    const OktaApiError = createRequire(import.meta.url)('@okta/okta-sdk-nodejs/src/api-error') as new (
      ...args: unknown[]
    ) => Error;
    const error = new OktaApiError(
      'https://acme.okta.com/api/v1/users/1?token=unknown-to-all',
      401,
      {
        errorCode: 'E0000011',
        errorSummary: `Invalid token ${token}`,
        errorId: 'oae1',
        errorCauses: [{ errorSummary: hook }],
      },
      { authorization: ['unknown-to-all'] },
    );
    const { log, record } = recorder();
    log.error({ err: error }, 'the directory refuses');
    const written = record();
    expect(JSON.stringify(written)).not.toContain('unknown-to-all');
    expect(written.err).toEqual({
      name: 'OktaApiError',
      status: 401,
      errorCode: 'E0000011',
      errorId: 'oae1',
      message: 'Okta HTTP 401 E0000011 Invalid token [redacted]. [redacted]',
    });
  });
});

describe('an error', () => {
  it('of ours is told by code, blame, remedy, facts and causes', () => {
    const { log, record } = recorder();
    const cause = new SendoffError('no answer', { code: 'SENDGRID_OUTAGE', blame: 'remote' });
    const error = new PermanentError('refused', {
      code: 'SENDGRID_REFUSED',
      blame: 'remote',
      remedy: 'read the scopes',
      facts: { status: 403 },
      cause,
    });
    log.error({ err: error }, 'failed');
    expect(record().err).toEqual({
      name: 'PermanentError',
      code: 'SENDGRID_REFUSED',
      blame: 'remote',
      remedy: 'read the scopes',
      facts: { status: 403 },
      message: 'refused',
      cause: { name: 'SendoffError', code: 'SENDGRID_OUTAGE', blame: 'remote', message: 'no answer' },
    });
  });

  it('of several reasons tells each', () => {
    const { log, record } = recorder();
    log.error(new AggregateError([new Error('::1 refused'), new Error('127.0.0.1 refused')]));
    expect(record()).toMatchObject({ err: { errors: [{ message: '::1 refused' }, { message: '127.0.0.1 refused' }] } });
  });

  it('may be anything that was thrown', () => {
    for (const thrown of ['text', null, undefined, 5, { code: 1 }, Object.assign(new Error('x'), { cause: 'text' })]) {
      const { log, lines } = recorder();
      log.error({ err: thrown, error: thrown }, 'failed');
      expect(() => JSON.parse(lines.join('')) as unknown).not.toThrow();
    }
  });

  it('whose causes run in a circle ends', () => {
    const { log, record } = recorder();
    const error: Error & { cause?: unknown } = new Error('round');
    error.cause = error;
    log.error({ err: error }, 'failed');
    expect(record().msg).toBe('failed');
  });
});

describe('input cannot forge a line', () => {
  const nasty = 'a\n{"level":60,"msg":"forged"}\r\nb\u2028c\u2029d\u0085e\u001b[2Jf\u009b31mg\u202eh';

  it('in JSON', () => {
    const { log, lines, record } = recorder();
    log.warn({ name: nasty, [nasty]: 1, err: new Error(nasty) }, nasty);
    expect(record()).toMatchObject({ level: 40, name: nasty, msg: nasty });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are the subject
    expect(lines.join('').trimEnd()).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202e]/);
  });

  it('in the form for people', () => {
    const { log, lines } = recorder({ pretty: true });
    log.warn({ user: nasty, [nasty]: 1, err: new Error(nasty) }, nasty);
    const text = lines.join('');
    expect(text).toMatch(/WARN: a\\u000a\{"level":60/);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are the subject
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u202e]/);
    expect(text.split('\n').filter((line) => line !== '' && !line.startsWith(' '))).toHaveLength(1);
  });
});
