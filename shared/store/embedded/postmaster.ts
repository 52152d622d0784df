import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf, SendoffError } from '#shared/errors.js';
import { program } from './binaries.js';
import { serverEnv } from './cluster.js';
import type { Home } from './home.js';
import { answers } from './probe.js';
import { isPidAlive } from './process-identity.js';
import { readSince, rotate, sizeOf } from './server-log.js';

/** A running server, started by this process or adopted. */
export interface Postmaster {
  pid: number;
  port: number;
  /** Resolves when it has ended. Does not keep Node running. */
  ended: Promise<void>;
  isRunning(): boolean;
}

// Modest, for a machine it shares; durability is not for sale. Terse: rows of people stay out of the log.
const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  fsync: 'on',
  full_page_writes: 'on',
  synchronous_commit: 'on',
  password_encryption: 'scram-sha-256',
  max_connections: '100',
  shared_buffers: '64MB',
  max_wal_size: '256MB',
  io_method: 'sync',
  jit: 'off',
  max_parallel_workers_per_gather: '0',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_checkpoints: 'off',
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
};

/** The server's arguments but for its port: an orphan that runs with others is not adopted. */
export function serverArguments(home: Home): string[] {
  return ['-D', home.cluster, ...Object.entries(SETTINGS).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
}

/**
 * Starts the server and waits until it answers, however long recovery takes.
 * @throws SendoffError EMBEDDED_START_FAILED with the end of its log when it ends instead.
 */
export async function startPostmaster(
  home: Home,
  port: number,
  url: string,
  logFile: string,
  signal: AbortSignal,
): Promise<Postmaster> {
  await rotate(logFile);
  const before = await sizeOf(logFile);
  const log = openSync(logFile, 'a', 0o600);
  // Detached: a session of its own, so that the terminal's Ctrl-C reaches Sendoff alone, which drains first.
  const child = spawn(program(home.native, 'postgres'), [...serverArguments(home), '-p', String(port)], {
    ...home.account,
    cwd: home.dir,
    env: serverEnv,
    detached: true,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  let failure: unknown;
  const ended = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      failure = error;
      resolve();
    });
    child.once('exit', () => resolve());
  });
  let running = true;
  void ended.then(() => {
    running = false;
  });
  const server: Postmaster = { pid: child.pid ?? 0, port, ended, isRunning: () => running };
  while (server.isRunning() && !signal.aborted) {
    if (await answers(url)) {
      child.unref();
      return server;
    }
    await Promise.race([ended, sleep(25)]);
  }
  await stopPostmaster(server);
  throw startFailed(port, logFile, await readSince(logFile, before), failure);
}

/** A server that another process started; looked at now and then, since its end is not told to us. */
export function adoptPostmaster(pid: number, port: number): Postmaster {
  const ended = new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      if (isPidAlive(pid)) return;
      clearInterval(timer);
      resolve();
    }, 100);
    timer.unref();
  });
  return { pid, port, ended, isRunning: () => isPidAlive(pid) };
}

/** Fast shutdown: transactions under way are rolled back, what was committed is flushed. Waits for the end. */
export async function stopPostmaster(server: Postmaster): Promise<void> {
  // SIGQUIT, then SIGKILL, lose nothing either: the next start recovers from the log. They only bound the wait.
  for (const [signal, patience] of [
    ['SIGINT', 20_000],
    ['SIGQUIT', 10_000],
    ['SIGKILL', 10_000],
  ] as const) {
    // Its pid may by now be somebody else's.
    if (!server.isRunning()) return;
    send(server.pid, signal);
    const waiting = new AbortController();
    const timeout = sleep(patience, 'late', { signal: waiting.signal }).catch(() => 'ended');
    const outcome = await Promise.race([server.ended, timeout]);
    waiting.abort();
    if (outcome !== 'late') return;
  }
}

/** Sends a signal to a process that may have ended. */
export function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function startFailed(port: number, logFile: string, output: string, failure: unknown): SendoffError {
  const last = output.split('\n').at(-1);
  return new SendoffError(`the embedded database did not start: ${failure === undefined ? last : messageOf(failure)}`, {
    code: 'EMBEDDED_START_FAILED',
    blame: 'remote',
    remedy: `See ${logFile}; or set DATABASE_URL to a PostgreSQL of your own.`,
    facts: { port, output },
    cause: failure,
  });
}
