import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Listening } from '../http.js';

export interface Certificate {
  key: string;
  cert: string;
  /** Where it lies, for NODE_EXTRA_CA_CERTS. */
  path: string;
  remove(): void;
}

/** A key and a certificate of its own for 127.0.0.1. */
export function makeCertificate(name = '127.0.0.1'): Certificate {
  const dir = mkdtempSync(join(tmpdir(), 'sendoff-tls-'));
  const [key, cert] = [join(dir, 'key.pem'), join(dir, 'cert.pem')];
  const subject = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1'];
  execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-keyout', key, '-out', cert, ...subject],
    { stdio: 'ignore' },
  );
  return {
    key: readFileSync(key, 'utf8'),
    cert: readFileSync(cert, 'utf8'),
    path: cert,
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}

/** The same server by https: Graph's client sends no token over plain http. */
export async function overTls(inner: Listening, { key, cert }: Certificate): Promise<Listening> {
  const server = createServer(
    { key, cert },
    (request, response) => void inner.server.emit('request', request, response),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    server: inner.server,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
      await inner.close();
    },
  };
}

/**
 * Lets this process believe it: NODE_EXTRA_CA_CERTS counts only for processes that start with it, and Microsoft's sign-in
 * library takes no other way. @returns how to stop
 */
export function trustEverybody(): () => void {
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
  return () => void delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
}
