import type { Clock } from '#shared/clock.js';
import { parseJson } from './errors.js';
import { garbage, tokenFailureOf } from './failure.js';
import { tokenAnswer } from './schema.js';
import type { Outgoing, Transport } from './transport.js';

/** A token is renewed so long before it ends, or at three quarters of a shorter life. */
const marginMs = 60_000;
/** Twilio's are valid for an hour; more is not believed: one published example holds a date instead of a duration. */
const longestMs = 3_600_000;
/** One that does not say how long it is valid. */
const unsaidMs = 300_000;

export interface Credentials {
  clientId: string;
  clientSecret: string;
  /** Of an app that an admin has authorised; null: the app's own right, by client credentials. */
  refreshToken: string | null;
}

/** Access tokens of one OAuth app, kept until shortly before they end. */
export interface Tokens {
  /** @throws TwilioLimited, TwilioUnauthorized, TwilioOutage */
  get(): Promise<string>;
  /** Another one than `refused`: the one that somebody else has got meanwhile, or a new one. */
  renew(refused: string): Promise<string>;
  /** What no error may show, besides the access token that was used. */
  secrets(): string[];
}

export function createTokens(
  transport: Transport,
  url: string,
  { clientId, clientSecret, refreshToken }: Credentials,
  clock: Clock,
): Tokens {
  let current: { token: string; renewAt: number } | null = null;
  let underWay: Promise<string> | null = null;
  /** Twilio may hand out another one each time; kept by this process only. */
  let newestRefreshToken = refreshToken;

  const get = (): Promise<string> => {
    if (current !== null && clock.now().getTime() < current.renewAt) return Promise.resolve(current.token);
    underWay ??= ask().finally(() => {
      underWay = null;
    });
    return underWay;
  };
  const secrets = () =>
    [clientSecret, refreshToken, newestRefreshToken].filter((secret): secret is string => secret !== null);

  return {
    get,
    renew(refused) {
      if (current?.token === refused) current = null;
      return get();
    },
    secrets,
  };

  async function ask(): Promise<string> {
    const grant =
      newestRefreshToken === null
        ? { grant_type: 'client_credentials' }
        : { grant_type: 'refresh_token', refresh_token: newestRefreshToken };
    const outgoing: Outgoing = {
      where: 'Twilio: token',
      method: 'POST',
      url,
      headers: { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ ...grant, client_id: clientId, client_secret: clientSecret }).toString(),
      isWrite: false,
      secrets: secrets(),
    };
    const askedAt = clock.now().getTime();
    const answer = await transport.exchange(outgoing);
    if (answer.status < 200 || answer.status >= 300) throw tokenFailureOf(outgoing, answer);
    const parsed = tokenAnswer.safeParse(parseJson(answer.text));
    if (!parsed.success) {
      const issues = parsed.error.issues.map(({ path, code }) => `${path.join('.')}: ${code}`);
      throw garbage(outgoing, answer.status, issues);
    }
    const { access_token, expires_in, refresh_token } = parsed.data;
    const lifeMs = Math.min(expires_in == null ? unsaidMs : expires_in * 1_000, longestMs);
    current = { token: access_token, renewAt: askedAt + lifeMs - Math.min(marginMs, lifeMs / 4) };
    if (newestRefreshToken !== null) newestRefreshToken = refresh_token ?? newestRefreshToken;
    return access_token;
  }
}
