import { hkdfSync } from 'node:crypto';
import { EncryptJWT, jwtDecrypt } from 'jose';
import * as client from 'openid-client';
import type { SignInConfig } from '#shared/config/schema-sign-in.js';
import { isLoopback } from '#shared/config/url.js';
import { messageOf, SendoffError } from '#shared/errors.js';
import type { Identity } from '#shared/store/sessions.js';

const callbackPath = '/sign-in/callback';
const attemptMinutes = 10;
const timeoutSeconds = 5;
/** Keys and endpoints of the provider are asked for again after so long. */
const knownForMs = 3_600_000;

/** Who came back from the provider. */
export interface Vouched extends Identity {
  /** Those of the configured groups that they are in, and their verified address if it is named there. */
  groups: string[];
  /** When they proved who they are, where the provider tells. */
  provenAt: Date | null;
  /** Where they wanted to go. */
  to: string;
}

/** The OpenID Connect provider behind sign-in. */
export interface IdentityProvider {
  /** Where to send the browser, and what it must bring back. @throws SendoffError PROVIDER_UNAVAILABLE */
  begin(wish: { to: string; again: boolean }): Promise<{ url: string; sealed: string }>;
  /** @throws SendoffError SIGN_IN_REFUSED, PROVIDER_UNAVAILABLE, GROUPS_OMITTED */
  finish(query: string, sealed: string | null): Promise<Vouched>;
}

interface Attempt {
  state: string;
  nonce: string;
  verifier: string;
  to: string;
}

export function createIdentityProvider(config: SignInConfig, publicUrl: string): IdentityProvider {
  const known = remembered(() => discover(config));
  const seal = sealer(config);
  const redirectUri = new URL(callbackPath, publicUrl).href;
  return {
    async begin({ to, again }) {
      const provider = await known();
      const attempt = {
        state: client.randomState(),
        nonce: client.randomNonce(),
        verifier: client.randomPKCECodeVerifier(),
        to,
      };
      const url = client.buildAuthorizationUrl(provider, {
        redirect_uri: redirectUri,
        scope: [...new Set(['openid', 'profile', 'email', ...config.extraScopes])].join(' '),
        state: attempt.state,
        nonce: attempt.nonce,
        code_challenge: await client.calculatePKCECodeChallenge(attempt.verifier),
        code_challenge_method: 'S256',
        ...(again ? { prompt: 'login' } : {}),
      });
      return { url: url.href, sealed: await seal.close(attempt) };
    },
    async finish(query, sealed) {
      const attempt = sealed === null ? null : await seal.open(sealed);
      if (attempt === null) throw refused('it took longer than ten minutes, or was begun in another browser');
      const provider = await known();
      const answer = await exchange(provider, new URL(`${redirectUri}?${query}`), attempt);
      const claims = answer.claims();
      if (claims === undefined) throw refused('the provider sent no ID token');
      const all = await withUserInfo(provider, answer.access_token, claims, config.groupsClaim);
      return vouched(config, { ...all, ...claims }, attempt.to);
    },
  };
}

async function discover(config: SignInConfig): Promise<client.Configuration> {
  const { issuer, clientId, clientSecret } = config;
  try {
    return await client.discovery(new URL(issuer), clientId, clientSecret, undefined, {
      timeout: timeoutSeconds,
      // The signature is checked although the token came straight from the provider over TLS.
      execute: [client.enableNonRepudiationChecks, ...(isLoopback(issuer) ? [client.allowInsecureRequests] : [])],
    });
  } catch (cause) {
    throw unavailable(cause);
  }
}

async function exchange(provider: client.Configuration, url: URL, { state, nonce, verifier }: Attempt) {
  try {
    return await client.authorizationCodeGrant(provider, url, {
      expectedState: state,
      expectedNonce: nonce,
      pkceCodeVerifier: verifier,
      idTokenExpected: true,
    });
  } catch (cause) {
    // Not answered at all, or answered with what must not be believed: only the first is worth another try.
    if (cause instanceof TypeError && messageOf(cause) === 'fetch failed') throw unavailable(cause);
    throw refused('what the identity provider sent back is not to be believed', cause);
  }
}

type Claims = Record<string, unknown>;

/** Some providers keep groups out of the ID token and tell them when asked (Okta, when an access token is issued too). */
async function withUserInfo(
  provider: client.Configuration,
  accessToken: string,
  claims: Claims & { sub: string },
  groupsClaim: string,
): Promise<Claims> {
  if (claims[groupsClaim] !== undefined || provider.serverMetadata().userinfo_endpoint === undefined) return {};
  try {
    return await client.fetchUserInfo(provider, accessToken, claims.sub);
  } catch (cause) {
    throw unavailable(cause);
  }
}

function vouched(config: SignInConfig, claims: Claims, to: string): Vouched {
  // Entra leaves the list out when somebody is in more than 200 groups.
  const omitted = claims._claim_names;
  if (typeof omitted === 'object' && omitted !== null && config.groupsClaim in omitted) {
    throw new SendoffError('you are in more groups than the identity provider tells', {
      code: 'GROUPS_OMITTED',
      blame: 'input',
      remedy: 'let the app send only groups assigned to it, or use app roles (signIn.groupsClaim: roles)',
    });
  }
  const email = typeof claims.email === 'string' && claims.email !== '' ? claims.email.toLowerCase() : null;
  const listed = [claims[config.groupsClaim]].flat().filter((group) => typeof group === 'string');
  const verified = email !== null && claims.email_verified === true ? [email] : [];
  const wanted = new Set(Object.values(config.roles).flat());
  return {
    issuer: String(claims.iss),
    subject: String(claims.sub),
    name: nameFrom(email ?? String(claims.preferred_username ?? ''), String(claims.sub)),
    groups: [...listed, ...verified].filter((group) => wanted.has(group)),
    provenAt: typeof claims.auth_time === 'number' ? new Date(claims.auth_time * 1_000) : null,
    to,
  };
}

/** A name that can be written into the audit trail, a configuration and a terminal. */
function nameFrom(claimed: string, subject: string): string {
  const name = claimed.toLowerCase();
  return /^[\w.@+-]{1,100}$/.test(name) ? name : subject.replace(/[^\w.@+-]/g, '_').slice(0, 100);
}

/**
 * Keeps an attempt in the browser: nothing is stored for whoever merely opens the page. Every web process has the same
 * key, for it comes from the client secret.
 */
function sealer({ clientSecret, issuer }: SignInConfig) {
  const key = new Uint8Array(hkdfSync('sha256', clientSecret, issuer, 'sendoff sign-in attempt', 32));
  return {
    close: (attempt: Attempt): Promise<string> =>
      new EncryptJWT({ ...attempt })
        .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
        .setExpirationTime(`${attemptMinutes}m`)
        .encrypt(key),
    async open(sealed: string): Promise<Attempt | null> {
      try {
        const { payload } = await jwtDecrypt<Attempt>(sealed, key, {
          keyManagementAlgorithms: ['dir'],
          contentEncryptionAlgorithms: ['A256GCM'],
          requiredClaims: ['exp'],
        });
        return payload;
      } catch {
        return null;
      }
    },
  };
}

function remembered(ask: () => Promise<client.Configuration>): () => Promise<client.Configuration> {
  let last: { answer: Promise<client.Configuration>; at: number } | null = null;
  return () => {
    if (last === null || performance.now() - last.at > knownForMs) {
      const answer = ask();
      last = { answer, at: performance.now() };
      answer.catch(() => {
        last = null;
      });
    }
    return last.answer;
  };
}

function refused(why: string, cause?: unknown): SendoffError {
  return new SendoffError(`the sign-in did not go through: ${why}`, {
    code: 'SIGN_IN_REFUSED',
    blame: 'input',
    remedy: 'sign in again',
    cause,
  });
}

function unavailable(cause: unknown): SendoffError {
  return new SendoffError('the identity provider does not answer as it must', {
    code: 'PROVIDER_UNAVAILABLE',
    blame: 'remote',
    remedy: 'try again; if it stays so, compare signIn.issuer with the provider’s discovery document',
    cause,
  });
}
