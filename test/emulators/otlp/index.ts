import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { decodeSpans, type ReceivedSpan } from './protobuf.js';

export type { ReceivedSpan } from './protobuf.js';

/** A collector of traces: OTLP over HTTP in protobuf. */
export interface Collector {
  url: string;
  spans: ReceivedSpan[];
  /** Everything that was sent, byte for byte as Latin-1. */
  raw(): string;
  headers: IncomingHttpHeaders[];
  /** `refuse` answers 503; `hang` never answers. */
  behaviour: 'take' | 'refuse' | 'hang';
  refused: number;
  close(): Promise<void>;
}

export async function startCollector(): Promise<Collector> {
  const bodies: Buffer[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const isOurs = request.method === 'POST' && request.url === '/v1/traces';
      if (collector.behaviour !== 'take') collector.refused += 1;
      if (collector.behaviour === 'hang') return;
      if (collector.behaviour === 'refuse' || !isOurs) {
        response.writeHead(isOurs ? 503 : 404).end();
        return;
      }
      const body = Buffer.concat(chunks);
      bodies.push(body);
      collector.headers.push(request.headers);
      collector.spans.push(...decodeSpans(body));
      response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const collector: Collector = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans: [],
    raw: () => Buffer.concat(bodies).toString('latin1'),
    headers: [],
    behaviour: 'take',
    refused: 0,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
  return collector;
}
