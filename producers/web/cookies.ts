import type { FastifyReply, FastifyRequest } from 'fastify';

/** What the browser keeps for a session that is open. */
export function cookieOf(request: FastifyRequest): string | null {
  return request.cookies[nameOf(request, 'sendoff')] ?? null;
}

/** Lax, not strict: who follows a link from a notification is signed in. What writes looks at the origin as well. */
export function setCookie(request: FastifyRequest, reply: FastifyReply, value: string): void {
  reply.setCookie(nameOf(request, 'sendoff'), value, { ...attributes(request), maxAge: 12 * 3600 });
}

export function clearCookie(request: FastifyRequest, reply: FastifyReply): void {
  reply.clearCookie(nameOf(request, 'sendoff'), attributes(request));
}

/** What is remembered of a sign-in while the identity provider has the browser. */
export function attemptOf(request: FastifyRequest): string | null {
  return request.cookies[nameOf(request, 'sendoff-attempt')] ?? null;
}

export function setAttempt(request: FastifyRequest, reply: FastifyReply, sealed: string): void {
  reply.setCookie(nameOf(request, 'sendoff-attempt'), sealed, { ...attributes(request), maxAge: 600 });
}

export function clearAttempt(request: FastifyRequest, reply: FastifyReply): void {
  reply.clearCookie(nameOf(request, 'sendoff-attempt'), attributes(request));
}

function attributes(request: FastifyRequest) {
  return { path: '/', httpOnly: true, sameSite: 'lax', secure: isHttps(request) } as const;
}

/** `__Host-` binds the cookie to this host over TLS; on plain loopback browsers would refuse such a name. */
function nameOf(request: FastifyRequest, name: string): string {
  return isHttps(request) ? `__Host-${name}` : name;
}

function isHttps(request: FastifyRequest): boolean {
  return request.protocol === 'https';
}
