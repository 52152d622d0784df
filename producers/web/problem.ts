import type { FastifyReply } from 'fastify';

/** What a problem document says beside its status. */
export interface Problem {
  status: number;
  /** Stable, `UPPER_SNAKE`: messages may change, codes may not. */
  code: string;
  /** For people; never holds what a caller must not see. */
  detail?: string | undefined;
  /** What to do next. */
  remedy?: string | undefined;
  /** Which parts of the request were not as they must be. */
  errors?: { path: string; message: string }[] | undefined;
}

/** Answers with a problem document (RFC 9457). */
export function sendProblem(reply: FastifyReply, { status, code, detail, remedy, errors }: Problem): FastifyReply {
  return reply
    .code(status)
    .type('application/problem+json')
    .send({
      type: 'about:blank',
      title: titles[status] ?? (status >= 500 ? 'Internal Server Error' : 'Bad Request'),
      status,
      code,
      ...(detail === undefined ? {} : { detail }),
      ...(remedy === undefined ? {} : { remedy }),
      ...(errors === undefined ? {} : { errors }),
      instance: `urn:request:${reply.request.id}`,
    });
}

const titles: Record<number, string> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  409: 'Conflict',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  422: 'Unprocessable Content',
  429: 'Too Many Requests',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
};
