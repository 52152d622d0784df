import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Request {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingMessage['headers'];
  body: unknown;
  rawBody: string;
}

export interface Listening {
  url: string;
  server: Server;
  close(): Promise<void>;
}

/** A loopback server that hands over whole requests. */
export async function listen(
  handle: (request: Request, response: ServerResponse) => void | Promise<void>,
  port = 0,
): Promise<Listening> {
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('error', () => response.destroy());
    incoming.on('end', () => {
      const url = new URL(incoming.url ?? '/', 'http://emulator');
      const rawBody = Buffer.concat(chunks).toString();
      const request: Request = {
        method: incoming.method ?? 'GET',
        path: url.pathname,
        query: url.searchParams,
        headers: incoming.headers,
        body: parse(rawBody),
        rawBody,
      };
      Promise.resolve(handle(request, response)).catch((error: unknown) => {
        response.writeHead(500, { 'content-type': 'text/plain' }).end(`emulator: ${String(error)}`);
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    server,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

export interface Answer {
  status: number;
  body?: unknown;
  headers?: Record<string, string>;
}

export function send(response: ServerResponse, { status, body, headers = {} }: Answer): void {
  if (body === undefined) {
    response.writeHead(status, headers).end();
    return;
  }
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

function parse(text: string): unknown {
  try {
    return text === '' ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
