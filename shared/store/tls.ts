import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import type { PoolConfig } from 'pg';
import { SendoffError } from '#shared/errors.js';

// Heroku: its certificates are self-signed, so `verify` cannot succeed: set `no-verify` (encrypted, not authenticated).
// Render: the internal URL (host without a dot) needs nothing; the external URL works with `verify`.
// Others with a private CA: `?sslmode=verify-full&sslrootcert=/path/ca.pem` in the URL.

/** `auto`: what the URL's sslmode says; without one, off on this machine and private networks, else `verify`. */
export type TlsMode = 'auto' | 'verify' | 'no-verify' | 'off';

const TLS_PARAMETERS = new Set(['sslmode', 'sslrootcert', 'ssl', 'uselibpqcompat']);

/**
 * Settles TLS for a PostgreSQL URL. pg lets the URL's sslmode silently override the `ssl` it is given,
 * so those parameters are taken out of the URL and decided here.
 * @throws SendoffError DATABASE_URL_INVALID when sslmode or sslrootcert cannot be used.
 */
export function settleTls(url: string, mode: TlsMode): { url: string; ssl: PoolConfig['ssl'] } {
  const [base = '', query = ''] = url.split('?', 2);
  const parameters = new URLSearchParams(query);
  const kept = new URLSearchParams([...parameters].filter(([name]) => !TLS_PARAMETERS.has(name)));
  const decided = mode === 'auto' ? modeOf(parameters, base) : mode;
  return { url: kept.size > 0 ? `${base}?${kept}` : base, ssl: sslFor(decided, parameters.get('sslrootcert')) };
}

function sslFor(mode: Exclude<TlsMode, 'auto'>, caFile: string | null): PoolConfig['ssl'] {
  if (mode === 'off') return false;
  if (mode === 'no-verify') return { rejectUnauthorized: false };
  if (caFile === null || caFile === 'system') return { rejectUnauthorized: true };
  try {
    return { rejectUnauthorized: true, ca: readFileSync(caFile, 'utf8') };
  } catch (cause) {
    throw invalidUrl(
      `the sslrootcert of DATABASE_URL (${caFile}) cannot be read`,
      'Give the path of a PEM file.',
      cause,
    );
  }
}

function modeOf(parameters: URLSearchParams, base: string): Exclude<TlsMode, 'auto'> {
  const sslmode = parameters.get('sslmode');
  if (sslmode === null) return isPrivate(hostOf(base, parameters)) ? 'off' : 'verify';
  if (sslmode === 'disable') return 'off';
  if (sslmode === 'no-verify') return 'no-verify';
  // Stricter than libpq on purpose: encryption without a verified peer must be asked for by name.
  if (['allow', 'prefer', 'require', 'verify-ca', 'verify-full'].includes(sslmode)) return 'verify';
  throw invalidUrl(`sslmode=${sslmode} is not known`, 'Use disable, no-verify or verify-full.');
}

function hostOf(base: string, parameters: URLSearchParams): string {
  const socket = parameters.get('host');
  if (socket !== null) return socket;
  const authority = base.replace(/^[a-z]+:(\/\/)?/i, '').split('/', 1)[0] ?? '';
  const host = authority.slice(authority.lastIndexOf('@') + 1);
  return host.startsWith('[') ? host.slice(1, host.indexOf(']')) : host.replace(/:\d+$/, '');
}

/** No public certificate can exist for these: sockets, loopback, private ranges, single-label and internal names. */
function isPrivate(host: string): boolean {
  const name = decodeURIComponent(host).toLowerCase();
  if (name === '' || name.startsWith('/')) return true;
  if (isIP(name) === 4) return /^(127|10|192\.168|169\.254|172\.(1[6-9]|2\d|3[01]))\./.test(name);
  if (isIP(name) === 6) return name === '::1' || /^f[cd]|^fe80/.test(name);
  return !name.includes('.') || /\.(internal|local|localhost)$/.test(name);
}

function invalidUrl(message: string, remedy: string, cause?: unknown): SendoffError {
  return new SendoffError(message, { code: 'DATABASE_URL_INVALID', blame: 'input', remedy, cause });
}
