import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';

export interface Event {
  event: 'started' | 'row' | 'failed' | 'log' | 'drained';
  url?: string;
  id?: number;
  code?: string;
  message?: string;
  pid?: number;
  adopted?: boolean;
  facts?: Record<string, unknown>;
}

export interface OwnerProcess {
  child: ChildProcess;
  pid: number;
  events: Event[];
  /** The first event of this name, seen or to come; rejects when the process ends without. */
  until(name: Event['event'], count?: number): Promise<Event>;
  /** Ends it and waits; afterwards `events` is complete. */
  end(signal: NodeJS.Signals): Promise<number | null>;
  ended(): Promise<number | null>;
}

export interface OwnerOptions {
  dataDir: string;
  nativeDir?: string;
  stagingRoot?: string;
  account?: { uid: number; gid: number; home: string };
}

/** Starts owner.ts on a data folder, in a process group of its own as a terminal would. */
export function startOwner({ dataDir, nativeDir = '', stagingRoot = '', account }: OwnerOptions): OwnerProcess {
  const script = resolve(import.meta.dirname, 'owner.ts');
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', '--conditions=sendoff-source', script, dataDir, nativeDir, stagingRoot],
    {
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
      cwd: resolve(import.meta.dirname, '../..'),
      env: {
        PATH: process.env['PATH'],
        HOME: account?.home ?? process.env['HOME'],
        TMPDIR: account?.home ?? process.env['TMPDIR'],
      },
      ...(account ? { uid: account.uid, gid: account.gid } : {}),
    },
  );
  const events: Event[] = [];
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  child.stdin.on('error', () => undefined);
  const lines = createInterface({ input: child.stdout });
  const closed = once(child, 'close').then(([code]) => code as number | null);
  lines.on('line', (line) => {
    // The last line of a process that was killed may be cut.
    if (line.endsWith('}')) events.push(JSON.parse(line) as Event);
  });
  const until = async (name: Event['event'], count = 1): Promise<Event> => {
    for (;;) {
      const found = events.filter((event) => event.event === name)[count - 1];
      if (found !== undefined) return found;
      const over = await Promise.race([once(lines, 'line').then(() => false), closed.then(() => true)]);
      if (over && events.filter((event) => event.event === name).length < count) {
        throw new Error(`the owner ended before "${name}": ${JSON.stringify(events)} ${errors}`);
      }
    }
  };
  const end = (signal: NodeJS.Signals): Promise<number | null> => {
    child.kill(signal);
    return closed;
  };
  return { child, pid: child.pid ?? 0, events, until, end, ended: () => closed };
}
