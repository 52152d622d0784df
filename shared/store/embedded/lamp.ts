import { closeSync, openSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createConnection, createServer, type Server } from 'node:net';
import { join } from 'node:path';

// A socket that only its living process can answer on. It tells life from death across containers that share
// the folder on one kernel, where pids say nothing. Linux only; elsewhere a lock is judged without it.

export interface Lamp {
  name: string;
  putOut(): Promise<void>;
}

/** Listens on a socket in the folder; null where that is not possible. */
export async function lightLamp(dir: string, name: string): Promise<Lamp | null> {
  if (process.platform !== 'linux') return null;
  const fd = openSync(dir, 'r');
  const server = createServer((socket) => socket.destroy());
  try {
    await listen(server, throughDescriptor(fd, name));
  } catch {
    return null;
  } finally {
    closeSync(fd);
  }
  server.unref();
  const putOut = async (): Promise<void> => {
    await new Promise<void>((resolve) => server.close(() => resolve()));
    await rm(join(dir, name), { force: true });
  };
  return { name, putOut };
}

/** `lit`: its process lives; `out`: it is dead; `unknown`: no such socket, or no right to ask. */
export async function lookAtLamp(dir: string, name: string): Promise<'lit' | 'out' | 'unknown'> {
  if (process.platform !== 'linux') return 'unknown';
  const fd = openSync(dir, 'r');
  try {
    return await new Promise((resolve) => {
      const socket = createConnection(throughDescriptor(fd, name));
      socket.once('connect', () => {
        socket.destroy();
        resolve('lit');
      });
      socket.once('error', (error: NodeJS.ErrnoException) => {
        // EAGAIN: its backlog is full, so somebody holds it.
        if (error.code === 'ECONNREFUSED') resolve('out');
        else resolve(error.code === 'EAGAIN' ? 'lit' : 'unknown');
      });
    });
  } finally {
    closeSync(fd);
  }
}

/** A socket's path may have 107 bytes; data folders may be deeper. */
function throughDescriptor(fd: number, name: string): string {
  return `/proc/self/fd/${fd}/${name}`;
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
}
