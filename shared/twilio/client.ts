import type { z } from 'zod';
import { type Clock, systemClock } from '#shared/clock.js';
import { SendoffError } from '#shared/errors.js';
import { canonicalAddress } from '#shared/lifecycle/address.js';
import { parseJson, TwilioNotFound, TwilioRefused } from './errors.js';
import { failureOf, garbage } from './failure.js';
import { type TwilioUser, twilioUser, userList } from './schema.js';
import { type Credentials, createTokens } from './tokens.js';
import { type Answer, createTransport, type Outgoing, type Timeouts } from './transport.js';
import { isTwilioUrl, plainUrl } from './url.js';

export type { TwilioUser } from './schema.js';

export interface TwilioClientOptions extends Credentials {
  /** Of the SCIM API, such as https://iam.twilio.com/scim/v2. */
  baseUrl: string;
  tokenUrl: string;
  timeouts?: Timeouts;
  clock?: Clock;
}

/**
 * Speaks SCIM to one Twilio Organization (sendgrid.md §11). Follows no redirect, repeats nothing but a request whose
 * token was refused, and turns every outcome into a value or one of errors.ts.
 */
export interface TwilioClient {
  /**
   * The user who signs in with this address, in whatever case.
   * @throws SendoffError TWILIO_AMBIGUOUS if there are several
   */
  findUser(email: string): Promise<TwilioUser | null>;
  readUser(id: string): Promise<TwilioUser | null>;
  /**
   * Stops the user's sign-in. Twilio ignores what it does not understand, so only reading again proves it.
   * @throws TwilioChanged if the user is no longer as they were read; TwilioRefused for suspended users and the owner
   */
  deactivate(user: Pick<TwilioUser, 'id' | 'version'>): Promise<void>;
  close(): Promise<void>;
}

interface Call {
  method: 'GET' | 'PATCH';
  /** For people: holds no address. */
  endpoint: string;
  path: string;
  body?: unknown;
  ifMatch?: string | null;
}

/** @throws SendoffError TWILIO_URL for an address that is not Twilio's; plain http only to this machine, for tests */
export function createTwilioClient({
  baseUrl,
  tokenUrl,
  timeouts = { connectMs: 3_000, totalMs: 10_000 },
  clock = systemClock,
  ...credentials
}: TwilioClientOptions): TwilioClient {
  // The configuration was checked already; the secrets go nowhere else even if that check is forgotten.
  if (!isTwilioUrl(baseUrl) || !isTwilioUrl(tokenUrl)) {
    throw new SendoffError('baseUrl or tokenUrl is no address of Twilio', { code: 'TWILIO_URL', blame: 'input' });
  }
  const root = plainUrl(baseUrl);
  const transport = createTransport(timeouts);
  const tokens = createTokens(transport, tokenUrl, credentials, clock);

  return {
    async findUser(email) {
      const wanted = email.trim();
      if (wanted === '') throw unaskable('no address to look for');
      // JSON's escapes are those of a filter's text (RFC 7644 §3.4.2.2), so no address ends it early.
      const filter = encodeURIComponent(`userName eq ${JSON.stringify(wanted)}`);
      const all = await read({ method: 'GET', endpoint: 'GET /Users', path: `/Users?filter=${filter}` }, userList);
      const found = all.filter(({ userName }) => canonicalAddress(userName) === canonicalAddress(wanted));
      if (found.length > 1) {
        throw new SendoffError(`Twilio has ${found.length} users with one and the same user name`, {
          code: 'TWILIO_AMBIGUOUS',
          blame: 'remote',
          facts: { ids: found.map(({ id }) => id) },
        });
      }
      return found[0] ?? null;
    },

    async readUser(id) {
      const call: Call = { method: 'GET', endpoint: 'GET /Users/{id}', path: userPath(id) };
      try {
        return await read(
          call,
          twilioUser.refine((user) => user.id === id),
        );
      } catch (error) {
        if (error instanceof TwilioNotFound) return null;
        throw error;
      }
    },

    async deactivate({ id, version }) {
      await send({
        method: 'PATCH',
        endpoint: 'PATCH /Users/{id}',
        path: userPath(id),
        ifMatch: version,
        body: {
          schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
          Operations: [{ op: 'replace', path: 'active', value: false }],
        },
      });
    },

    close: () => transport.close(),
  };

  async function read<T>(call: Call, schema: z.ZodType<T>): Promise<T> {
    const { outgoing, answer } = await send(call);
    const result = schema.safeParse(parseJson(answer.text));
    if (result.success) return result.data;
    const issues = result.error.issues.slice(0, 3).map(({ path, code }) => `${path.join('.')}: ${code}`);
    throw garbage(outgoing, answer.status, issues);
  }

  /** A refused token may have ended early: one more, and then it is the app that is refused. */
  async function send(call: Call): Promise<{ outgoing: Outgoing; answer: Answer }> {
    const token = await tokens.get();
    let outgoing = outgoingOf(call, token);
    let answer = await transport.exchange(outgoing);
    if (answer.status === 401) {
      outgoing = outgoingOf(call, await tokens.renew(token));
      answer = await transport.exchange(outgoing);
    }
    if (answer.status < 200 || answer.status >= 300) throw failureOf(outgoing, answer);
    return { outgoing, answer };
  }

  function outgoingOf({ method, endpoint, path, body, ifMatch }: Call, token: string): Outgoing {
    return {
      where: `Twilio: ${endpoint}`,
      method,
      url: `${root}${path}`,
      headers: {
        authorization: `Bearer ${token}`,
        accept: 'application/scim+json',
        ...(body === undefined ? {} : { 'content-type': 'application/scim+json' }),
        ...(ifMatch == null ? {} : { 'if-match': ifMatch }),
      },
      body: body === undefined ? null : JSON.stringify(body),
      isWrite: method !== 'GET',
      secrets: [...tokens.secrets(), token],
    };
  }
}

/** An id is one segment of the path, whatever it holds. */
function userPath(id: string): string {
  // A URL reads a segment of one or two dots as a direction.
  if (['', '.', '..'].includes(id)) throw unaskable('no user has such an id');
  try {
    return `/Users/${encodeURIComponent(id)}`;
  } catch {
    throw unaskable('no user has half a character as id');
  }
}

function unaskable(why: string): TwilioRefused {
  return new TwilioRefused(`Twilio was not asked: ${why}`, { code: 'TWILIO_NAME_INVALID', blame: 'input' });
}
