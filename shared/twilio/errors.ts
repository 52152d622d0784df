import { z } from 'zod';
import { type Failure, PermanentError, SendoffError, WaitError } from '#shared/errors.js';

// What Twilio's answers mean to the executor (sendgrid.md §11). No error holds a secret, a token or a header.

/** 429: wait; nothing was applied. */
export class TwilioLimited extends WaitError {}

/** The OAuth app is refused, or a token that was just issued is: its work waits until a person has seen to it. */
export class TwilioUnauthorized extends WaitError {}

/** A definitive refusal, such as of a suspended user or the Organization's owner; and what can't be asked of Twilio. */
export class TwilioRefused extends PermanentError {}

/** 404 in SCIM's own words: there is no such user in this Organization. Nothing was changed. */
export class TwilioNotFound extends SendoffError {}

/** 412: the user was changed since they were read. Nothing was applied; read again, then try again. */
export class TwilioChanged extends SendoffError {}

/** 5xx, timeout, reset, redirect, half an answer, too much of one, or one that is none: nobody knows. */
export class TwilioOutage extends SendoffError {
  /** May the request have been applied? */
  readonly sent: boolean;

  constructor(message: string, sent: boolean, failure: Failure) {
    super(message, failure);
    this.sent = sent;
  }
}

/** May Twilio have carried out the request that ended in this error? */
export function mayHaveBeenApplied(error: unknown): boolean {
  if (error instanceof TwilioOutage) return error.sent;
  const definitive = [TwilioLimited, TwilioUnauthorized, TwilioRefused, TwilioNotFound, TwilioChanged];
  return !definitive.some((kind) => error instanceof kind);
}

export interface Problem {
  /** Twilio's own words on one line; empty if there are none. */
  words: string;
  /** Twilio's number for it, such as 25008: not found. */
  twilioCode: number | null;
  /** Does SCIM say it, and not something between us and Twilio? */
  isScim: boolean;
}

const scimError = 'urn:ietf:params:scim:api:messages:2.0:Error';
const text = z.string().nullish().catch(null);

/** SCIM's error object with Twilio's code, Twilio's usual one (`message`), or OAuth's. */
const problem = z.object({
  schemas: z.array(z.string()).nullish().catch(null),
  code: z.coerce.number().int().positive().nullish().catch(null),
  detail: text,
  message: text,
  error: text,
  error_description: text,
});

/** What the body of a refusal says; never fails. */
export function problemOf(body: string): Problem {
  const parsed = problem.safeParse(parseJson(body));
  if (!parsed.success) return { words: oneLine(body), twilioCode: null, isScim: false };
  const { schemas, code, detail, message, error, error_description } = parsed.data;
  const words = [detail ?? message, error, error_description].filter((said) => said != null && said !== '');
  return { words: oneLine(words.join(': ')), twilioCode: code ?? null, isScim: schemas?.includes(scimError) ?? false };
}

export function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

/** Control characters could forge log lines or colour a terminal. */
function oneLine(said: string): string {
  return said
    .slice(0, 4_000)
    .replace(/[\p{C}\s]+/gu, ' ')
    .trim();
}
