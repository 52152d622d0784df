import type { FastifyRequest } from 'fastify';

/** A cookie from elsewhere must not change anything: browsers say where a request comes from. */
export function isCrossSite(request: FastifyRequest): boolean {
  if (request.headers.authorization !== undefined) return false;
  const site = request.headers['sec-fetch-site'];
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  const origin = request.headers.origin;
  return origin === undefined || !URL.canParse(origin) || new URL(origin).host !== request.host;
}
