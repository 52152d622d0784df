import { jittered, waitAfter429 } from '#shared/sendgrid/rate-limit.js';
import { scrubber } from '#shared/telemetry/redact.js';
import {
  problemOf,
  TwilioChanged,
  TwilioLimited,
  TwilioNotFound,
  TwilioOutage,
  TwilioRefused,
  TwilioUnauthorized,
} from './errors.js';
import type { Answer, Outgoing } from './transport.js';

const unauthorizedWaitMs = 30_000;
/** A 429 that does not say how long. */
const limitedWaitMs = 5_000;
/** Twilio's number for a user whom the Organization does not have (sendgrid.md §11). */
const notFound = 25008;

/** The error that an answer of the SCIM API other than 2xx is. */
export function failureOf(outgoing: Outgoing, answer: Answer): Error {
  const { message, facts, isScim, failure } = saying(outgoing, answer);
  const { status } = answer;
  switch (status) {
    case 429:
      return limited(message, answer, failure('TWILIO_LIMITED'));
    case 401:
      return new TwilioUnauthorized(message, unauthorizedWaitMs, {
        ...failure('TWILIO_UNAUTHORIZED'),
        remedy: 'targets.twilio: give the OAuth app the managed-users scopes and have an admin authorise it again',
      });
    case 403:
      return new TwilioRefused(message, {
        ...failure('TWILIO_FORBIDDEN'),
        remedy: 'the OAuth app lacks the managed-users scopes, or Twilio lets nobody change this user',
      });
    case 404:
      // Something between us and Twilio, or a wrong baseUrl, is no word on the user.
      if (isScim || facts.twilioCode === notFound) return new TwilioNotFound(message, failure('TWILIO_NOT_FOUND'));
      return new TwilioOutage(message, outgoing.isWrite, {
        ...failure('TWILIO_GARBAGE'),
        remedy: 'this is no answer of the SCIM API: look at targets.twilio.baseUrl',
      });
    case 412:
      return new TwilioChanged(message, failure('TWILIO_CHANGED'));
  }
  if (status >= 400 && status < 500 && status !== 408) return new TwilioRefused(message, failure('TWILIO_REFUSED'));
  return new TwilioOutage(message, outgoing.isWrite, failure('TWILIO_OUTAGE'));
}

/** The error that an answer of the token endpoint other than 2xx is. Nothing reached the SCIM API. */
export function tokenFailureOf(outgoing: Outgoing, answer: Answer): Error {
  const { message, failure } = saying(outgoing, answer);
  const { status } = answer;
  if (status === 429) return limited(message, answer, failure('TWILIO_LIMITED'));
  if (status >= 400 && status < 500 && status !== 408) {
    return new TwilioUnauthorized(message, unauthorizedWaitMs, {
      ...failure('TWILIO_UNAUTHORIZED'),
      remedy: 'put a valid clientId and clientSecret (and refreshToken, if there is one) into targets.twilio',
    });
  }
  return new TwilioOutage(message, false, failure('TWILIO_OUTAGE'));
}

/** A 2xx that is no answer is never an empty one. */
export function garbage(outgoing: Outgoing, status: number, issues: string[]): Error {
  return new TwilioOutage(
    `${outgoing.where} answered ${status} with something that is not the documented answer`,
    outgoing.isWrite,
    { code: 'TWILIO_GARBAGE', blame: 'remote', facts: { issues } },
  );
}

function limited(message: string, { headers }: Answer, failure: ConstructorParameters<typeof TwilioLimited>[2]): Error {
  return new TwilioLimited(message, jittered(waitAfter429(headers) ?? limitedWaitMs), failure);
}

function saying({ where, secrets }: Outgoing, { status, text }: Answer) {
  const { words, twilioCode, isScim } = problemOf(text);
  // Cut last: half a secret would not be recognised.
  const said = scrubber(secrets)(words).slice(0, 300);
  const number = twilioCode === null ? '' : ` (Twilio ${twilioCode})`;
  const facts = { status, ...(twilioCode === null ? {} : { twilioCode }) };
  return {
    message: `${where} answered ${status}${said === '' ? '' : `: ${said}`}${number}`,
    facts,
    isScim,
    failure: (code: string) => ({ code, blame: 'remote' as const, facts }),
  };
}
