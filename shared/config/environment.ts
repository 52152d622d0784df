import { z } from 'zod';
import { failpoints, parseFailpoint } from '#shared/failpoint.js';
import { ConfigError } from './config-error.js';
import { type TraceSettings, traceLines, traceSettings, traceVariables } from './traces.js';

const levels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
const tlsModes = ['auto', 'verify', 'no-verify', 'off'] as const;

/** Variables that are set and empty are as good as not set: compose files make such ones. */
const optional = z
  .string()
  .optional()
  .transform((value) => (value === undefined || value.trim() === '' ? null : value));
const oneOf = <const T extends readonly [string, ...string[]]>(allowed: T, fallback: T[number]) =>
  z.preprocess(
    (value) => (value === undefined || value === '' ? fallback : value),
    z.enum(allowed, `is none of ${allowed.join(', ')} (set one of them, or unset it for ${fallback})`),
  );
const number = (max: number, fallback: number | null) =>
  optional
    .refine(
      (text) => text === null || (/^\d{1,5}$/.test(text) && Number(text) <= max),
      `is no whole number from 0 to ${max} (correct it, or unset it)`,
    )
    .transform((text) => (text === null ? fallback : Number(text)));
const url = (schemes: string[]) =>
  optional.refine(
    (text) => text === null || schemes.some((scheme) => text.startsWith(scheme)),
    `is no such URL (it begins with ${schemes.join(' or ')})`,
  );

const variables = z.object({
  ...traceVariables,
  PORT: number(65_535, 3_000),
  HOST: optional,
  DATABASE_URL: url(['postgres://', 'postgresql://']),
  DATABASE_TLS: oneOf(tlsModes, 'auto'),
  REDIS_URL: url(['redis://', 'rediss://']),
  REDIS_TLS: oneOf(tlsModes, 'auto'),
  SENDOFF_REDIS_EVICTION_UNCHECKED: oneOf(['0', '1'], '0'),
  SENDOFF_CONFIG: optional,
  SENDOFF_DATA: optional,
  SENDOFF_ADMIN_TOKEN: z
    .string()
    .refine((token) => token.trim().length >= 16, 'is shorter than 16 characters (make one: openssl rand -hex 24)')
    .optional(),
  SENDOFF_SERVER: url(['https://', 'http://']),
  SENDOFF_SIGNING_KEY: optional,
  SENDOFF_TOKEN: optional.refine(
    (token) => token === null || /^[\x21-\x7e]{16,500}$/.test(token),
    'is no token (sendoff tokens create <name> makes one)',
  ),
  SENDOFF_ENV: oneOf(['production', 'test'], 'production'),
  SENDOFF_FAILPOINT: optional.refine(
    (text) => text === null || parseFailpoint(text) !== null,
    `is no failpoint (<name>:kill, <name>:stop or <name>:block:<ms>; names: ${failpoints.join(', ')})`,
  ),
  SENDOFF_TRUSTED_PROXIES: number(10, null),
  LOG_LEVEL: z.preprocess((value) => (typeof value === 'string' ? value.toLowerCase() : value), oneOf(levels, 'info')),
  // A platform says of itself where we are.
  DYNO: optional,
  RENDER: optional,
});

/** How a connection is encrypted. `auto`: what the URL says; `no-verify`: for chains signed by nobody (Heroku). */
type TlsMode = (typeof tlsModes)[number];

/** The environment as the rest of the code knows it. */
export interface Environment {
  port: number;
  /** HOST; else every interface where a platform or a DATABASE_URL says that this is a server, and this machine alone otherwise. */
  host: string;
  databaseUrl: string | null;
  databaseTls: TlsMode;
  redisUrl: string | null;
  redisTls: TlsMode;
  /** The operator vouches for `noeviction` where Redis does not let it be read. */
  redisEvictionUnchecked: boolean;
  /** SENDOFF_CONFIG. */
  configPath: string | null;
  dataDir: string;
  adminToken: string | null;
  /** The text as it is: shared/audit/signing-key.ts reads it. */
  signingKey: string | null;
  isTest: boolean;
  /** Where a test wants this process to die; null outside tests. */
  failpoint: string | null;
  /** Proxies in front whose X-Forwarded headers count: 1 on Heroku and Render, else 0 unless SENDOFF_TRUSTED_PROXIES says more. */
  trustedProxies: number;
  logLevel: (typeof levels)[number];
  /** The Sendoff that commands ask over its API; null: its database. */
  server: string | null;
  /** What commands show to that server. */
  token: string | null;
  /** Where traces go; null: there are none. */
  traces: TraceSettings | null;
  /** Values that must never be shown. */
  secrets: string[];
}

/**
 * Reads the environment variables of design.md "Fixed: configuration" and those of docs/deploying.md. The one place
 * that knows their names; `sendoff.yaml` may name others.
 * @throws ConfigError with a line for each bad one
 */
export function readEnvironment(env: NodeJS.ProcessEnv): Environment {
  const result = variables.safeParse(env);
  const lines = [
    ...(result.error?.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`) ?? []),
    ...failpointLines(env),
    ...traceLines(env),
    ...(env.SENDOFF_ENV === 'test' ? [] : productionLines(env)),
  ];
  if (!result.success || lines.length > 0) throw new ConfigError(lines);
  const read = result.data;
  const isPlatform = read.DYNO !== null || read.RENDER !== null;
  const traces = traceSettings(read);
  return {
    port: read.PORT ?? 3_000,
    host: read.HOST ?? (isPlatform || read.DATABASE_URL !== null ? '0.0.0.0' : '127.0.0.1'),
    databaseUrl: read.DATABASE_URL,
    databaseTls: read.DATABASE_TLS,
    redisUrl: read.REDIS_URL,
    redisTls: read.REDIS_TLS,
    redisEvictionUnchecked: read.SENDOFF_REDIS_EVICTION_UNCHECKED === '1',
    configPath: read.SENDOFF_CONFIG,
    dataDir: read.SENDOFF_DATA ?? '.sendoff',
    adminToken: read.SENDOFF_ADMIN_TOKEN ?? null,
    signingKey: read.SENDOFF_SIGNING_KEY,
    isTest: read.SENDOFF_ENV === 'test',
    failpoint: read.SENDOFF_FAILPOINT,
    trustedProxies: read.SENDOFF_TRUSTED_PROXIES ?? (isPlatform ? 1 : 0),
    logLevel: read.LOG_LEVEL,
    server: read.SENDOFF_SERVER,
    token: read.SENDOFF_TOKEN,
    traces,
    secrets: [
      read.SENDOFF_ADMIN_TOKEN ?? null,
      read.SENDOFF_SIGNING_KEY,
      read.SENDOFF_TOKEN,
      ...passwordsOf(read.DATABASE_URL),
      ...passwordsOf(read.REDIS_URL),
      ...passwordsOf(traces?.url ?? null),
      ...Object.values(traces?.headers ?? {}),
    ].filter((value) => value !== null),
  };
}

/** What tests may do and nobody else (reliability.md §11, 46, 53 and 55). */
function productionLines(env: NodeJS.ProcessEnv): string[] {
  const lines: string[] = [];
  if (env.NODE_TLS_REJECT_UNAUTHORIZED === '0') {
    lines.push(
      'NODE_TLS_REJECT_UNAUTHORIZED: 0 switches off every certificate check (unset it; for a managed database set DATABASE_TLS=no-verify or REDIS_TLS=no-verify)',
    );
  }
  if (env.REDIS_URL?.startsWith('redis://') && (env.REDIS_TLS ?? 'auto') === 'auto' && isPublicHost(env.REDIS_URL)) {
    lines.push(
      'REDIS_URL: would cross the network unencrypted (use rediss://, or set REDIS_TLS=off when the network is private)',
    );
  }
  return lines;
}

/** Whatever else a test may do, it does not do it in production. */
function failpointLines(env: NodeJS.ProcessEnv): string[] {
  if (!env.SENDOFF_FAILPOINT || (env.SENDOFF_ENV === 'test' && env.NODE_ENV !== 'production')) return [];
  return ['SENDOFF_FAILPOINT: ends the process at a chosen instant, for tests only (unset it)'];
}

/** Could this host be reached over the internet? Names without a dot and private ranges can't. */
function isPublicHost(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const host = new URL(url).hostname.toLowerCase();
  if (/^(127|10|192\.168|169\.254|172\.(1[6-9]|2\d|3[01]))\.[\d.]+$/.test(host) || /^\[(::1|f[cd]|fe80)/.test(host))
    return false;
  return (host.includes('.') || host.startsWith('[')) && !/\.(internal|local|localhost)$/.test(host);
}

/** The password of a URL in each form in which it can turn up; the whole URL where it cannot be taken apart. */
function passwordsOf(text: string | null): string[] {
  if (text === null) return [];
  if (!URL.canParse(text)) return [text];
  const { password, searchParams } = new URL(text);
  return [password, decoded(password), searchParams.get('password') ?? ''].filter((value) => value !== '');
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
