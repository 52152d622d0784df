import type { FastifyInstance } from 'fastify';
import { sendProblem } from './problem.js';

/** Headers that decide who is asked and who asks. */
const single = new Set(['host', 'authorization']);

/** Of two, Node takes the first and a server in front may have looked at the second: refused (reliability.md §11, 14). */
export function refuseRepeatedHeaders(app: FastifyInstance): void {
  app.addHook('onRequest', async (request, reply) => {
    const names = request.raw.rawHeaders.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase());
    const decisive = names.filter((name) => single.has(name));
    if (new Set(decisive).size === decisive.length) return;
    return sendProblem(reply, { status: 400, code: 'HEADER_REPEATED', detail: 'Host and Authorization come once' });
  });
}
