import { Readable } from 'node:stream';
import type { ChangeKind, Fingerprints } from '#shared/store/changes.js';

/** Pages that watch, in this process: each holds a socket. */
const atOnce = 200;
/** However many watch, the database is asked once. */
const lookEveryMs = 1_000;
/** Proxies cut what is silent: Heroku's router after 55 s, our own sockets after 20 s. */
const beatEveryMs = 10_000;
/** Whoever lost their session or role is cut off within 5 s. */
const recheckEveryMs = 3_000;
/** Of one that does not read, so much is kept for it. */
const unreadAtMost = 16_384;

export interface ChangeStream {
  /** Watches from now on. @param mayStill is asked every few seconds @returns null when too many do */
  join(mayStill: () => Promise<boolean>): Promise<Readable | null>;
  /** Ends all of them, and lets nobody in any more. */
  close(): void;
}

interface Watcher {
  out: Readable;
  mayStill(): Promise<boolean>;
}

/** Tells pages what changed, as server-sent events. It looks only while somebody watches. */
export function openChangeStream(look: () => Promise<Fingerprints>): ChangeStream {
  const watchers = new Set<Watcher>();
  let last: Fingerprints | null = null;
  let looking: Promise<void> | null = null;
  let closed = false;
  let timers: NodeJS.Timeout[] = [];

  const send = (watcher: Watcher, frame: string): void => {
    if (!watchers.has(watcher)) return;
    if (watcher.out.readableLength > unreadAtMost) watcher.out.destroy();
    else watcher.out.push(frame);
  };
  const lookOnce = async (): Promise<void> => {
    const now = await look();
    const kinds = last === null ? [] : changed(last, now);
    last = now;
    if (kinds.length === 0) return;
    for (const watcher of watchers) send(watcher, `event: changed\ndata: ${JSON.stringify({ kinds })}\n\n`);
  };
  const lookAgain = (): Promise<void> => {
    looking ??= lookOnce().finally(() => {
      looking = null;
    });
    return looking;
  };
  // A database that is away for a moment: what changed meanwhile is seen afterwards.
  const onLook = () => void lookAgain().catch(() => undefined);
  const onBeat = () => {
    for (const watcher of watchers) send(watcher, ': still here\n\n');
  };
  const onRecheck = () => {
    for (const watcher of watchers) {
      // Who can't be vouched for any more is not told anything more either.
      watcher.mayStill().then(
        (may) => may || end(watcher),
        () => end(watcher),
      );
    }
  };

  const leave = (watcher: Watcher): void => {
    watchers.delete(watcher);
    if (watchers.size > 0) return;
    for (const timer of timers) clearInterval(timer);
    timers = [];
    last = null;
  };
  const end = (watcher: Watcher): void => {
    if (!watchers.has(watcher)) return;
    leave(watcher);
    watcher.out.push(null);
  };

  return {
    async join(mayStill) {
      if (closed || watchers.size >= atOnce) return null;
      const watcher = { out: new Readable({ read: () => undefined, highWaterMark: unreadAtMost }), mayStill };
      watchers.add(watcher);
      watcher.out.once('close', () => leave(watcher));
      if (timers.length === 0) {
        timers = [
          setInterval(onLook, lookEveryMs),
          setInterval(onBeat, beatEveryMs),
          setInterval(onRecheck, recheckEveryMs),
        ];
      }
      // What changes after the page was told that it watches is told.
      if (last === null) await lookAgain().catch(() => undefined);
      send(watcher, 'retry: 3000\nevent: ready\ndata: {}\n\n');
      return watcher.out;
    },
    close() {
      closed = true;
      for (const watcher of [...watchers]) end(watcher);
    },
  };
}

function changed(before: Fingerprints, after: Fingerprints): ChangeKind[] {
  return (Object.keys(after) as ChangeKind[]).filter((kind) => before[kind] !== after[kind]);
}
