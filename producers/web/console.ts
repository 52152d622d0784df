import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import files from '@fastify/static';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

/** Addresses that the console's router knows (console/src/router.tsx). `/` is sign-in's. */
const pages = ['people', 'approvals', 'accounts', 'events', 'failures', 'audit', 'settings'];

/** Sends the console's page. */
export type SendConsole = (reply: FastifyReply) => FastifyReply;

/** @param dir what Vite built @returns null: it is not built */
export function registerConsole(app: FastifyInstance, dir: string): SendConsole | null {
  if (!existsSync(join(dir, 'index.html'))) return null;
  // Its names hold hashes of their content: whoever has one never asks again. It is code, and no secret.
  app.register(async (assets) => {
    assets.addHook('onRoute', (route) => {
      route.config = { ...route.config, access: 'public' };
    });
    await assets.register(files, {
      root: join(dir, 'assets'),
      prefix: '/assets/',
      decorateReply: false,
      index: false,
      preCompressed: true,
      immutable: true,
      maxAge: '365d',
    });
  });

  const html = readFileSync(join(dir, 'index.html'), 'utf8');
  const send: SendConsole = (reply) => {
    const nonce = randomBytes(16).toString('base64');
    // Styles that the page makes while it runs carry the nonce of this answer; scripts are files of ours, and nothing else.
    const policy = String(reply.getHeader('content-security-policy'));
    return reply
      .header('content-security-policy', policy.replace('style-src ', `style-src 'nonce-${nonce}' `))
      .header('cache-control', 'no-store')
      .type('text/html; charset=utf-8')
      .send(html.replaceAll('NONCE', nonce));
  };
  const show = async (_request: FastifyRequest, reply: FastifyReply) => send(reply);
  for (const page of pages) {
    app.get(`/${page}`, { config: { access: 'viewer' } }, show);
    app.get(`/${page}/*`, { config: { access: 'viewer' } }, show);
  }
  return send;
}
