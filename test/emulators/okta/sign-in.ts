import { randomUUID } from 'node:crypto';
import { jwtVerify, type KeyObject } from 'jose';
import type { Answer, Request } from '../http.js';
import { oktaError } from './answers.js';

/** A service app that signs in by private_key_jwt. */
export interface ServiceApp {
  clientId: string;
  publicKey: KeyObject;
  granted: Set<string>;
}

export interface SignIn {
  app: ServiceApp | null;
  /** What the token's owner or the app's role may not do, by the scope that it would be. */
  denied: Set<string>;
  /** The scopes of each token that was given. */
  tokens: Map<string, string[]>;
  token(request: Request, url: string): Promise<Answer>;
  /** null: go on. */
  refuse(request: Request): Answer | null;
}

/** Who may do what: an API token acts with its owner's rights, a service app with its scopes (idp-events.md §1.7). */
export function createSignIn(apiToken: string): SignIn {
  const signIn: SignIn = {
    app: null,
    denied: new Set(),
    tokens: new Map(),
    async token({ rawBody }, url) {
      const form = new URLSearchParams(rawBody);
      const { app } = signIn;
      const scopes = (form.get('scope') ?? '').split(' ');
      const refused = (error: string): Answer => ({ status: 400, body: { error, error_description: error } });
      if (app === null || form.get('grant_type') !== 'client_credentials') return refused('invalid_client');
      try {
        const { clientId: issuer, publicKey } = app;
        const audience = `${url}/oauth2/v1/token`;
        await jwtVerify(form.get('client_assertion') ?? '', publicKey, { issuer, subject: issuer, audience });
      } catch {
        return { ...refused('invalid_client'), status: 401 };
      }
      if (!scopes.every((scope) => app.granted.has(scope))) return refused('invalid_scope');
      const token = randomUUID();
      signIn.tokens.set(token, scopes);
      const body = { token_type: 'Bearer', expires_in: 3_600, access_token: token, scope: scopes.join(' ') };
      return { status: 200, body };
    },
    refuse({ headers, path, method }) {
      const { authorization = '' } = headers;
      const scopes = signIn.tokens.get(authorization.replace(/^Bearer /, ''));
      if (scopes === undefined && authorization !== `SSWS ${apiToken}`) {
        return { status: 401, body: oktaError('E0000011', 'Invalid token provided') };
      }
      const needed = scopesFor(path, method);
      const has = scopes === undefined || needed.some((scope) => scopes.includes(scope));
      if (has && !needed.every((scope) => signIn.denied.has(scope))) return null;
      const summary = 'You do not have permission to perform the requested action';
      return { status: 403, body: oktaError('E0000006', summary) };
    },
  };
  return signIn;
}

/** Any one of them will do. */
function scopesFor(path: string, method: string): string[] {
  const noun = path.split('/')[3] ?? '';
  return method === 'GET' ? [`okta.${noun}.read`, `okta.${noun}.manage`] : [`okta.${noun}.manage`];
}
