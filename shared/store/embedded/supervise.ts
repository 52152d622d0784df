import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '#shared/errors.js';
import type { StoreLog } from '#shared/store/database.js';
import type { Home } from './home.js';
import { settleOrphan } from './orphan.js';
import { type Postmaster, startPostmaster, stopPostmaster } from './postmaster.js';
import { freePort } from './probe.js';
import { boundLog } from './server-log.js';

export interface Supervision {
  home: Home;
  /** Loopback TCP, not a socket: data folders can be deeper than a socket's 107 bytes, and any client can connect. */
  urlAt(port: number): string;
  log: StoreLog;
  logFile: string;
}

export interface Supervised {
  url: string;
  stop(): Promise<void>;
}

const FIRST_START_ATTEMPTS = 5;
const LONGEST_PAUSE_MS = 5_000;

/**
 * Runs the server, or takes over an adopted one, and brings it back on the same port whenever it ends.
 * @throws SendoffError EMBEDDED_START_FAILED when the first start fails several times in a row.
 */
export async function supervise(what: Supervision, orphan: Postmaster | null): Promise<Supervised> {
  const stopping = new AbortController();
  let server = orphan ?? (await startFirst(what, stopping.signal));
  what.log.info({ postgresPid: server.pid, port: server.port, adopted: orphan !== null }, 'the embedded database runs');
  const bound = boundLog(what.logFile);

  const keepRunning = async (): Promise<void> => {
    for (;;) {
      await server.ended;
      if (stopping.signal.aborted) return;
      what.log.error({ pid: server.pid, logFile: what.logFile }, 'the embedded database ended; it is being restarted');
      const next = await restart(what, server.port, stopping.signal);
      if (next === null) return;
      server = next;
      // stop() knew only the dead one.
      if (stopping.signal.aborted) return stopPostmaster(server);
      what.log.warn({ postgresPid: server.pid, port: server.port }, 'the embedded database runs again');
    }
  };
  const kept = keepRunning();

  const stop = async (): Promise<void> => {
    stopping.abort();
    bound.stop();
    await stopPostmaster(server);
    await kept;
  };
  return { url: what.urlAt(server.port), stop };
}

/** A port may be taken between the look and the bind, and the first start after a kill can fail. */
async function startFirst(what: Supervision, signal: AbortSignal): Promise<Postmaster> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      // A server that a Sendoff killed this moment was just starting shows only now.
      const orphan = attempt === 1 ? null : await settleOrphan(what.home, what.urlAt);
      return orphan ?? (await start(what, await freePort(), signal));
    } catch (error) {
      if (attempt === FIRST_START_ATTEMPTS) throw error;
      what.log.warn({ attempt, error: messageOf(error) }, 'the embedded database did not start; trying again');
      await sleep(pauseAfter(attempt));
    }
  }
}

/** Tries until it runs or we are told to stop: meanwhile Sendoff answers 503 and its queue waits. */
async function restart(what: Supervision, port: number, signal: AbortSignal): Promise<Postmaster | null> {
  for (let attempt = 1; !signal.aborted; attempt += 1) {
    try {
      // The dead server's sessions may still hold its memory.
      const orphan = await settleOrphan(what.home, what.urlAt);
      if (orphan?.port === port) return orphan;
      if (orphan !== null) await stopPostmaster(orphan);
      return await start(what, port, signal);
    } catch (error) {
      if (signal.aborted) return null;
      what.log.error({ attempt, error: messageOf(error) }, 'the embedded database did not restart; trying again');
      await sleep(pauseAfter(attempt), undefined, { signal }).catch(() => undefined);
    }
  }
  return null;
}

function start(what: Supervision, port: number, signal: AbortSignal): Promise<Postmaster> {
  return startPostmaster(what.home, port, what.urlAt(port), what.logFile, signal);
}

function pauseAfter(attempt: number): number {
  return Math.min(LONGEST_PAUSE_MS, 100 * 2 ** attempt);
}
