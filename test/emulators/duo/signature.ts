import { createHash, createHmac } from 'node:crypto';
import type { Answer, Request } from '../http.js';

export interface Keys {
  host: string;
  integrationKey: string;
  secretKey: string;
}

/** How far a request's Date may be from Duo's own clock. */
const toleranceMs = 5 * 60_000;

/** What Duo says of a request that is not signed as it should be (signature version 5); null: it is. */
export function refusalOf(request: Request, { host, integrationKey, secretKey }: Keys, now: number): Answer | null {
  const { authorization, date, host: asked } = request.headers;
  const [, basic] = /^Basic (\S+)$/.exec(authorization ?? '') ?? [];
  if (basic === undefined) return failure(40101, 'Missing request credentials');
  const [key, signature] = Buffer.from(basic, 'base64').toString().split(':');
  if (key !== integrationKey) return failure(40102, 'Invalid integration key in request credentials');
  if (typeof date !== 'string') return failure(40104, 'Missing request timestamp');
  if (!(Math.abs(Date.parse(date) - now) <= toleranceMs)) return failure(40105, 'Bad request timestamp');
  const parameters = [...request.query]
    .map((pair) => pair.map(strictly).join('='))
    .sort()
    .join('&');
  const sha512 = (text: string) => createHash('sha512').update(text).digest('hex');
  const signed = [date, request.method, asked, request.path, parameters, sha512(request.rawBody), sha512('')];
  const expected = createHmac('sha512', secretKey).update(signed.join('\n')).digest('hex');
  if (asked === host && signature === expected) return null;
  return failure(40103, 'Invalid signature in request credentials');
}

/** Duo's errors: the first three digits of the code are the status. */
export function failure(code: number, message: string, headers: Record<string, string> = {}): Answer {
  return { status: Math.floor(code / 100), body: { stat: 'FAIL', code, message }, headers };
}

function strictly(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}
