import { createHash, randomUUID } from 'node:crypto';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose';
import { listen, send } from '../http.js';

export interface OidcUser {
  sub: string;
  email?: string;
  email_verified?: boolean;
  groups?: string[];
  [claim: string]: unknown;
}

/** What the provider, or somebody between, does wrong with the next ID token. */
export interface Tampering {
  claims?: JWTPayload;
  /** `none`: unsigned. `HS256`: signed with what everybody knows, the public key. `stranger`: by a key of somebody else. */
  signature?: 'none' | 'HS256' | 'stranger';
}

export interface OidcEmulator {
  issuer: string;
  clientId: string;
  clientSecret: string;
  /** Who sits before the browser. */
  user: OidcUser;
  tampering: Tampering;
  /** Groups are told at the userinfo endpoint only, as Okta does when an access token is issued too. */
  groupsAtUserinfo: boolean;
  /** Codes handed out from now on are over already. */
  expired: boolean;
  /** The last request to the authorization endpoint. */
  asked: URLSearchParams | null;
  /** Plays the browser at the provider. @returns where it is sent back to */
  authorize(url: string): Promise<URL>;
  close(): Promise<void>;
}

interface Grant {
  nonce: string | null;
  challenge: string | null;
  redirectUri: string;
  user: OidcUser;
  expired: boolean;
}

/** An OpenID provider as Okta, Entra and Google are: discovery, code flow with PKCE, signed ID tokens. */
export async function startOidcEmulator(): Promise<OidcEmulator> {
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
  const stranger = await generateKeyPair('RS256');
  const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'RS256', use: 'sig' };
  const grants = new Map<string, Grant>();
  const tokens = new Map<string, OidcUser>();
  const server = await listen(async ({ method, path, query, rawBody, headers }, response) => {
    if (path === '/.well-known/openid-configuration') return send(response, { status: 200, body: metadata() });
    if (path === '/jwks') return send(response, { status: 200, body: { keys: [jwk] } });
    if (path === '/authorize') return authorize(query);
    if (path === '/token' && method === 'POST') return token(new URLSearchParams(rawBody));
    if (path === '/userinfo') {
      const user = tokens.get((headers.authorization ?? '').replace('Bearer ', ''));
      return send(response, user === undefined ? { status: 401 } : { status: 200, body: user });
    }
    send(response, { status: 404 });

    function authorize(asked: URLSearchParams): void {
      emulator.asked = asked;
      const code = randomUUID();
      const redirectUri = asked.get('redirect_uri') ?? '';
      const { user, expired } = emulator;
      grants.set(code, {
        nonce: asked.get('nonce'),
        challenge: asked.get('code_challenge'),
        redirectUri,
        user,
        expired,
      });
      const back = new URL(redirectUri);
      back.searchParams.set('code', code);
      back.searchParams.set('state', asked.get('state') ?? '');
      send(response, { status: 302, headers: { location: back.href } });
    }

    async function token(form: URLSearchParams): Promise<void> {
      const refuse = (error: string) => send(response, { status: 400, body: { error } });
      const grant = grants.get(form.get('code') ?? '');
      grants.delete(form.get('code') ?? '');
      if (form.get('client_id') !== emulator.clientId || form.get('client_secret') !== emulator.clientSecret)
        return refuse('invalid_client');
      const challenge = createHash('sha256')
        .update(form.get('code_verifier') ?? '')
        .digest('base64url');
      const isRight = grant?.challenge === challenge && grant.redirectUri === form.get('redirect_uri');
      if (grant === undefined || grant.expired || !isRight) return refuse('invalid_grant');
      const accessToken = randomUUID();
      tokens.set(accessToken, grant.user);
      const idToken = await sign(grant);
      send(response, {
        status: 200,
        body: { access_token: accessToken, token_type: 'Bearer', expires_in: 300, id_token: idToken },
      });
    }
  });

  function metadata() {
    return {
      issuer: server.url,
      authorization_endpoint: `${server.url}/authorize`,
      token_endpoint: `${server.url}/token`,
      userinfo_endpoint: `${server.url}/userinfo`,
      jwks_uri: `${server.url}/jwks`,
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
    };
  }

  async function sign({ nonce, user }: Grant): Promise<string> {
    const { groups, ...rest } = user;
    const told = emulator.groupsAtUserinfo || groups === undefined ? rest : user;
    const now = Math.floor(Date.now() / 1_000);
    const { claims, signature } = emulator.tampering;
    const payload = {
      iss: server.url,
      aud: emulator.clientId,
      iat: now,
      exp: now + 300,
      ...(nonce === null ? {} : { nonce }),
      ...told,
      ...claims,
    };
    if (signature === 'none') return new UnsecuredJWT(payload).encode();
    const alg = signature === 'HS256' ? 'HS256' : 'RS256';
    const key =
      signature === 'HS256'
        ? Buffer.from(JSON.stringify(jwk))
        : signature === 'stranger'
          ? stranger.privateKey
          : privateKey;
    return new SignJWT(payload).setProtectedHeader({ alg, kid: 'k1' }).sign(key);
  }

  const emulator: OidcEmulator = {
    issuer: server.url,
    clientId: 'sendoff',
    clientSecret: 'oidc-client-secret-0123456789',
    user: { sub: 'u1' },
    tampering: {},
    groupsAtUserinfo: false,
    expired: false,
    asked: null,
    async authorize(url) {
      const answer = await fetch(url, { redirect: 'manual' });
      return new URL(answer.headers.get('location') ?? '');
    },
    close: server.close,
  };
  return emulator;
}
