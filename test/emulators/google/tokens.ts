import { generateKeyPairSync, type KeyObject, randomBytes, verify } from 'node:crypto';
import type { Answer, Request } from '../http.js';
import { type GoogleWorld, userAt } from './world.js';

export interface ServiceAccount {
  clientEmail: string;
  /** PEM, as in a key file. */
  privateKey: string;
}

export interface Tokens {
  account: ServiceAccount;
  /** What the domain-wide delegation allows. */
  delegated: Set<string>;
  issue(request: Request, world: GoogleWorld): Answer;
  /** @returns the scopes of the token that a request brings; null: none that is good */
  scopesOf(request: Request): Set<string> | null;
  /** Takes every token back. */
  revoke(): void;
}

/** `https://oauth2.googleapis.com/token` for a service account that impersonates an administrator. */
export function createTokens(): Tokens {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const issued = new Map<string, Set<string>>();
  const account = {
    clientEmail: 'sendoff@acme-project.iam.gserviceaccount.com',
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
  const delegated = new Set(
    ['admin.directory.user.readonly', 'admin.directory.group.readonly', 'admin.reports.audit.readonly'].map(
      (scope) => `https://www.googleapis.com/auth/${scope}`,
    ),
  );
  return {
    account,
    delegated,
    issue({ rawBody }, world) {
      const form = new URLSearchParams(rawBody);
      if (form.get('grant_type') !== 'urn:ietf:params:oauth:grant-type:jwt-bearer') {
        return refusal(400, 'unsupported_grant_type', 'Invalid grant_type');
      }
      const claims = claimsOf(form.get('assertion') ?? '', publicKey);
      if (claims === null || claims.iss !== account.clientEmail) {
        return refusal(400, 'invalid_grant', 'Invalid JWT Signature.');
      }
      const user = userAt(world, String(claims.sub));
      if (user === undefined || user.suspended) return refusal(400, 'invalid_grant', 'Invalid email or User ID');
      const scopes = String(claims.scope).split(' ');
      if (claims.aud !== 'https://oauth2.googleapis.com/token' || scopes.some((scope) => !delegated.has(scope))) {
        const why = 'Client is unauthorized to retrieve access tokens using this method, or client not authorized';
        return refusal(401, 'unauthorized_client', `${why} for any of the scopes requested.`);
      }
      const token = `ya29.${randomBytes(24).toString('base64url')}`;
      issued.set(token, new Set(scopes));
      return { status: 200, body: { access_token: token, expires_in: 3599, token_type: 'Bearer' } };
    },
    scopesOf: ({ headers }) => issued.get(/^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1] ?? '') ?? null,
    revoke: () => issued.clear(),
  };
}

function claimsOf(assertion: string, key: KeyObject): Record<string, unknown> | null {
  const [header, payload, signature] = assertion.split('.');
  if (header === undefined || payload === undefined || signature === undefined) return null;
  const signed = Buffer.from(`${header}.${payload}`);
  if (!verify('RSA-SHA256', signed, key, Buffer.from(signature, 'base64url'))) return null;
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>;
  return Number(claims.exp) * 1_000 > Date.now() ? claims : null;
}

function refusal(status: number, error: string, description: string): Answer {
  return { status, body: { error, error_description: description } };
}
