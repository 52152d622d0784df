import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A hop between two processes that can be cut or frozen. */
export interface TcpProxy {
  port: number;
  /** Ends every connection and refuses new ones. */
  cut(): void;
  /** Keeps connections open and passes nothing on. */
  freeze(): void;
  heal(): void;
  /**
   * From now on asks about every piece of data that a client sends and that contains `text`. Where the answer is yes, it
   * is passed on and carried out, but the client never hears of it: its connection ends instead.
   */
  cutAfter(text: string, strikes: () => boolean): void;
  close(): Promise<void>;
}

export async function startTcpProxy(target: { host: string; port: number }): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let state: 'up' | 'cut' | 'frozen' = 'up';
  let mark: { text: string; strikes: () => boolean } | null = null;
  const server = createServer((client) => {
    if (state === 'cut') return void client.destroy();
    const upstream = connect(target.port, target.host);
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      if (state === 'frozen') from.pause();
      from.on('data', (chunk) => {
        if (from === client && mark !== null && chunk.includes(mark.text) && mark.strikes()) {
          upstream.removeAllListeners('data').once('data', () => upstream.destroy());
        }
        to.write(chunk);
      });
      from.on('error', () => to.destroy());
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const end = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    cut() {
      state = 'cut';
      end();
    },
    freeze() {
      state = 'frozen';
      for (const socket of sockets) socket.pause();
    },
    heal() {
      if (state === 'frozen') end();
      state = 'up';
    },
    cutAfter(text, strikes) {
      mark = { text, strikes };
    },
    async close() {
      end();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
