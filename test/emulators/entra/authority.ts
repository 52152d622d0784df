import { createPublicKey, randomUUID, verify, X509Certificate } from 'node:crypto';
import type { Answer, Request } from '../http.js';

/** The sign-in service: discovery and tokens for client credentials, by secret or by certificate. */
export interface Authority {
  answer(request: Request, url: string): Answer | null;
  isToken(token: string): boolean;
  /** Tokens given out so far. */
  issued: number;
  /** From now on no token is good; a new one is. */
  revokeAll(): void;
}

export interface Registration {
  tenantId: string;
  clientId: string;
  clientSecret: string;
  /** PEM of the certificate uploaded to the app registration. */
  certificate?: string;
}

export function createAuthority(app: Registration): Authority {
  const tokens = new Set<string>();
  const authority: Authority = {
    issued: 0,
    isToken: (token) => tokens.has(token),
    revokeAll: () => tokens.clear(),
    answer(request, url) {
      const { path, method } = request;
      const known = path.startsWith(`/${app.tenantId}/`);
      if (/\/v2\.0\/\.well-known\/openid-configuration$/.test(path)) {
        return known ? { status: 200, body: discovery(url, app.tenantId) } : refuse('AADSTS90002', 'tenant not found');
      }
      if (method !== 'POST' || !/\/oauth2\/v2\.0\/token$/.test(path)) return null;
      if (!known) return refuse('AADSTS90002', 'tenant not found');
      const form = new URLSearchParams(request.rawBody);
      if (form.get('client_id') !== app.clientId)
        return refuse('AADSTS700016', 'application not found in the directory');
      if (
        form.get('grant_type') !== 'client_credentials' ||
        !/^https?:\/\/[^/ ]+\/\.default/.test(form.get('scope') ?? '')
      ) {
        return refuse('AADSTS70011', `the scope ${form.get('scope')} is not valid`);
      }
      const refusal = form.has('client_assertion') ? byAssertion(form, app, url) : bySecret(form, app);
      if (refusal !== null) return refusal;
      const token = `emulated.${randomUUID()}`;
      tokens.add(token);
      authority.issued += 1;
      return {
        status: 200,
        body: { token_type: 'Bearer', expires_in: 3599, ext_expires_in: 3599, access_token: token },
      };
    },
  };
  return authority;
}

function bySecret(form: URLSearchParams, app: Registration): Answer | null {
  return form.get('client_secret') === app.clientSecret
    ? null
    : refuse('AADSTS7000215', 'Invalid client secret provided');
}

function byAssertion(form: URLSearchParams, app: Registration, url: string): Answer | null {
  const [header = '', claims = '', signature = ''] = (form.get('client_assertion') ?? '').split('.');
  const decoded = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, string>;
  if (app.certificate === undefined) return refuse('AADSTS700027', 'certificate not registered');
  const { alg } = decoded(header);
  const key = createPublicKey(app.certificate);
  const pss = { key, padding: 6, saltLength: 32 };
  const isSigned = verify(
    'sha256',
    Buffer.from(`${header}.${claims}`),
    alg === 'PS256' ? pss : key,
    Buffer.from(signature, 'base64url'),
  );
  const thumbprint = decoded(header)['x5t#S256'];
  const { fingerprint256 } = new X509Certificate(app.certificate);
  const isTheirs =
    Buffer.from(thumbprint ?? '', 'base64url').toString('hex') === fingerprint256.replaceAll(':', '').toLowerCase();
  const { iss, sub, aud } = decoded(claims);
  const isFor = iss === app.clientId && sub === app.clientId && aud === `${url}/${app.tenantId}/oauth2/v2.0/token`;
  return isSigned && isTheirs && isFor ? null : refuse('AADSTS700027', 'the client assertion is not valid');
}

function discovery(url: string, tenantId: string) {
  return {
    token_endpoint: `${url}/${tenantId}/oauth2/v2.0/token`,
    authorization_endpoint: `${url}/${tenantId}/oauth2/v2.0/authorize`,
    issuer: `${url}/${tenantId}/v2.0`,
    jwks_uri: `${url}/${tenantId}/discovery/v2.0/keys`,
  };
}

function refuse(code: string, text: string): Answer {
  const body = {
    error: code === 'AADSTS7000215' || code === 'AADSTS700027' ? 'invalid_client' : 'unauthorized_client',
    error_description: `${code}: ${text}. Trace ID: ${randomUUID()}`,
    error_codes: [Number(code.slice('AADSTS'.length))],
  };
  return { status: code === 'AADSTS90002' ? 400 : 401, body };
}
