import { z } from 'zod';
import { type Blame, messageOf, SendoffError } from '#shared/errors.js';

// What can go wrong between a command and a server, as errors that say what to do. The exit code follows in output.ts.

/** What is read of a problem document (RFC 9457). */
const problemDocument = z.object({
  code: z.string(),
  detail: z.string().optional(),
  remedy: z.string().optional(),
  errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
});

/** An answer that is none of 2xx. */
export interface Refusal {
  status: number;
  location: string | undefined;
  /** undefined: it is no JSON. */
  body: unknown;
}

export function failureOf(origin: string, { status, location, body }: Refusal): SendoffError {
  if (status >= 300 && status < 400) {
    // Not followed: the token would go there too.
    return failure('SERVER_MOVED', 'input', `${origin} points elsewhere: ${location ?? 'it does not say where'}`, [
      'name the address at which Sendoff itself answers, with https://',
    ]);
  }
  const read = problemDocument.safeParse(body);
  if (!read.success) {
    return failure('SERVER_STRANGE', 'remote', `${origin} answered ${status}, and not as Sendoff does`, [
      'is that the address of its web process, and is it up?',
    ]);
  }
  const { code, detail, remedy, errors = [] } = read.data;
  switch (code) {
    case 'UNAUTHENTICATED':
      return failure(code, 'input', `${origin} does not take the token in SENDOFF_TOKEN`, [
        'it may have ended or been revoked; an administrator makes another: sendoff tokens create <name>',
      ]);
    case 'ROLE_MISSING':
      return failure(code, 'input', detail ?? 'the token’s role may not do this', [
        'ask an administrator for a token with that role: sendoff tokens create <name> --role <role>',
      ]);
    case 'NOT_FOUND':
      // What is not there says what it is; a route that is not there says nothing.
      if (detail !== undefined) break;
      return failure('SERVER_OLDER', 'input', `${origin} does not know how to answer this`, [
        'the server is of an older version than this command line: update it, or use its own',
      ]);
  }
  const parts = errors.map(({ path, message }) => `${path} ${message}`.trim()).join('; ');
  const text = [detail ?? `${origin} answered ${status} (${code})`, parts].filter((part) => part !== '').join(': ');
  return failure(code, blameOf(status), text, remedy === undefined ? [] : [remedy]);
}

/** Too many requests are nobody's mistake; every other 4xx is one of what was asked. */
function blameOf(status: number): Blame {
  return status >= 400 && status < 500 && status !== 429 ? 'input' : 'remote';
}

/** No answer came, or not all of it. */
export function unreachable(origin: string, error: unknown): SendoffError {
  const code = codeOf(error);
  if (/CERT|TLS|SSL|SELF_SIGNED|UNABLE_TO_VERIFY/.test(code)) {
    return failure('SERVER_UNTRUSTED', 'input', `${origin} could not prove who it is (${code})`, [
      'a certificate of your own authority is trusted when NODE_EXTRA_CA_CERTS names its file',
    ]);
  }
  return failure('SERVER_UNREACHABLE', 'remote', `${origin} gives no answer (${code})`, [
    'is Sendoff up (its /healthz answers then), and is --server or SENDOFF_SERVER its address?',
  ]);
}

export function codeOf(error: unknown): string {
  if (error instanceof Error && error.name === 'TimeoutError') return 'timeout';
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : messageOf(error);
}

/** It answered, but not with what this version of the command line reads. */
export function notUnderstood(origin: string, path: string): SendoffError {
  return failure('SERVER_STRANGE', 'remote', `${origin} answers ${path} in another way than expected`, [
    'use the command line of the version that runs there',
  ]);
}

/** What is done on the machine of a Sendoff, not over its API. */
export function onlyBesideIt(what: string, why: string): SendoffError {
  return failure('SERVER_CANNOT', 'input', `${what} does not work over a server: ${why}`, [
    'run it where Sendoff’s sendoff.yaml and DATABASE_URL are, without --server and SENDOFF_SERVER',
  ]);
}

function failure(code: string, blame: Blame, message: string, [remedy]: string[]): SendoffError {
  return new SendoffError(message, { code, blame, ...(remedy === undefined ? {} : { remedy }) });
}
