import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { SendoffError, WaitError } from '#shared/errors.js';
import { isDatabaseAway } from '#shared/store/away.js';
import type { Log } from '#shared/telemetry/log.js';
import { type Problem, sendProblem } from './problem.js';

/** Refusals whose status their blame does not tell. */
const statuses: Record<string, number> = {
  NOT_AN_APPROVER: 403,
  SAME_PERSON: 403,
  NOT_FOUND: 404,
  ACCOUNT_UNKNOWN: 404,
  KEY_UNKNOWN: 404,
  SOURCE_UNKNOWN: 404,
  CHANNEL_UNKNOWN: 404,
  NO_ORDER: 409,
  NOTHING_TO_RESTORE: 409,
  NOT_STOPPED: 409,
  PLAN_NOT_HELD: 409,
  PLAN_CHANGED: 409,
  PLAN_EXPIRED: 409,
  TOKEN_NAME_TAKEN: 409,
  SIGNING_KEY_MISSING: 409,
  PUBLIC_URL_MISSING: 409,
  VERIFICATION_UNDER_WAY: 409,
  NOTHING_TO_REPLAY: 409,
  REPLAY_OVER: 409,
  IDEMPOTENCY_UNDER_WAY: 409,
  IDEMPOTENCY_REUSED: 422,
};

/** The web server's own. */
const refusals: Record<number, string> = { 413: 'BODY_TOO_LARGE', 415: 'BODY_TYPE_UNKNOWN' };

/** Turns whatever a handler threw into a problem document. Stacks, SQL and paths stay in the log. */
export function failureHandler(log: Log, scrub: (text: string) => string) {
  return (error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const problem = problemOf(error);
    if (problem.status >= 500) log.error({ err: error, request: request.id }, 'a request failed');
    if (error instanceof WaitError) reply.header('retry-after', Math.ceil(error.delayMs / 1_000));
    if (problem.code === 'DATABASE_AWAY') reply.header('retry-after', 5);
    const detail = problem.detail === undefined ? undefined : scrub(problem.detail);
    return sendProblem(reply, { ...problem, detail });
  };
}

function problemOf(error: FastifyError): Problem {
  if (hasZodFastifySchemaValidationErrors(error)) {
    return {
      status: 400,
      code: 'INVALID_REQUEST',
      detail: `the ${error.validationContext ?? 'request'} is not as it must be`,
      remedy: '/api/openapi.json says what it must look like',
      errors: error.validation.map(({ instancePath, message }) => ({ path: instancePath, message: message ?? '' })),
    };
  }
  if (error instanceof SendoffError) {
    const { code, remedy } = error;
    return { status: statuses[code] ?? statusOf(error), code, detail: error.message, remedy };
  }
  // What has a status of its own is about the request: who hangs up in the middle of it is no database.
  if (error.statusCode === undefined && isDatabaseAway(error)) {
    return {
      status: 503,
      code: 'DATABASE_AWAY',
      detail: 'the database does not answer',
      remedy: 'try again in a moment',
    };
  }
  const status = error.statusCode !== undefined && error.statusCode >= 400 ? error.statusCode : 500;
  return { status, code: refusals[status] ?? (status >= 500 ? 'INTERNAL' : 'BAD_REQUEST') };
}

function statusOf(error: SendoffError): number {
  if (error instanceof WaitError) return 503;
  if (error.blame === 'input') return 400;
  return error.blame === 'remote' ? 502 : 500;
}
