import { describe, expect, it } from 'vitest';
import { failureOf, unreachable } from './failures.js';

const origin = 'https://sendoff.acme.com';
const of = (status: number, body: unknown, location?: string) => failureOf(origin, { status, location, body });

describe('what a server refuses', () => {
  it.each([
    [401, 'UNAUTHENTICATED', 'input', /SENDOFF_TOKEN/],
    [403, 'ROLE_MISSING', 'input', /takes the role/],
    [403, 'SAME_PERSON', 'input', /takes the role/],
    [404, 'ACCOUNT_UNKNOWN', 'input', /takes the role/],
    [409, 'PLAN_CHANGED', 'input', /takes the role/],
    [429, 'TOO_MANY', 'remote', /takes the role/],
    [500, 'INTERNAL', 'remote', /takes the role/],
    [503, 'DIRECTORY_UNAVAILABLE', 'remote', /takes the role/],
  ])('%i %s keeps its code and is blamed on the %s', (status, code, blame, text) => {
    const error = of(status, { code, detail: 'this takes the role admin', remedy: 'do so' });
    expect(error).toMatchObject({ code, blame, message: expect.stringMatching(text) });
    expect(error.remedy).toBeTruthy();
  });

  it('names every part of a request that was not as it must be', () => {
    const errors = [{ path: '/email', message: 'Invalid email address' }];
    expect(of(400, { code: 'INVALID_REQUEST', detail: 'the body is not as it must be', errors }).message).toBe(
      'the body is not as it must be: /email Invalid email address',
    );
  });

  it('tells a route that an older server does not have from a thing that is not there', () => {
    expect(of(404, { code: 'NOT_FOUND' }).code).toBe('SERVER_OLDER');
    expect(of(404, { code: 'NOT_FOUND', detail: 'there is no plan' }).code).toBe('NOT_FOUND');
  });

  it('says where a redirect leads, and that something else answers', () => {
    expect(of(308, undefined, 'https://elsewhere/')).toMatchObject({ code: 'SERVER_MOVED', blame: 'input' });
    expect(of(308, undefined, 'https://elsewhere/').message).toContain('https://elsewhere/');
    expect(of(502, undefined)).toMatchObject({ code: 'SERVER_STRANGE', blame: 'remote' });
    expect(of(404, { detail: 'Not here' }).code).toBe('SERVER_STRANGE');
  });
});

describe('a server that gives no answer', () => {
  it.each([
    ['ECONNREFUSED', 'SERVER_UNREACHABLE', 'remote'],
    ['UND_ERR_CONNECT_TIMEOUT', 'SERVER_UNREACHABLE', 'remote'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'SERVER_UNTRUSTED', 'input'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'SERVER_UNTRUSTED', 'input'],
    ['CERT_HAS_EXPIRED', 'SERVER_UNTRUSTED', 'input'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'SERVER_UNTRUSTED', 'input'],
  ])('%s is %s', (code, expected, blame) => {
    const error = unreachable(origin, Object.assign(new Error('no'), { code }));
    expect(error).toMatchObject({ code: expected, blame });
    expect(error.message).toContain(code);
  });
});
