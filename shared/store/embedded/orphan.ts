import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Home } from './home.js';
import { adoptPostmaster, type Postmaster, send, serverArguments, stopPostmaster } from './postmaster.js';
import { ask } from './probe.js';
import { isPidAlive } from './process-identity.js';

// When Sendoff is killed its server lives on. The next start, which holds the folder's lock, settles what it finds.

/**
 * The server that a killed Sendoff left behind: adopted when it runs as we would run it and lets us in, else stopped.
 * @returns the adopted server, or null when none runs on the cluster any more.
 */
export async function settleOrphan(home: Home, urlAt: (port: number) => string): Promise<Postmaster | null> {
  const found = await readPidFile(home.cluster);
  if (found !== null && isServerOf(found.pid, home.cluster)) {
    const server = adoptPostmaster(found.pid, found.port);
    if ((await runsAsOurs(home)) && (await ask(urlAt(found.port))) === home.cluster) return server;
    await stopPostmaster(server);
  }
  await endLeftovers(home.cluster);
  // PostgreSQL refuses to start while the pid in this file lives, whoever has that pid by now; a zombie counts, and
  // where Sendoff is a container's first process nobody reaps it.
  const certain = process.platform === 'linux' || isPidAlive(found?.pid ?? 0);
  if (found !== null && certain && processesIn(home.cluster).length === 0) {
    await rm(join(home.cluster, 'postmaster.pid'), { force: true });
  }
  return null;
}

async function readPidFile(cluster: string): Promise<{ pid: number; port: number } | null> {
  const text = await readFile(join(cluster, 'postmaster.pid'), 'utf8').catch(() => '');
  const lines = text.split('\n');
  const [pid, port] = [Number(lines[0]), Number(lines[3])];
  return Number.isInteger(pid) && pid > 0 ? { pid, port } : null;
}

/** The command line of the last start is in postmaster.opts; the port may differ. */
async function runsAsOurs(home: Home): Promise<boolean> {
  const options = await readFile(join(home.cluster, 'postmaster.opts'), 'utf8').catch(() => '');
  const expected = serverArguments(home)
    .map((argument) => `"${argument}"`)
    .join(' ');
  return options.startsWith(`${join(home.native.dir, 'bin', 'postgres')} ${expected} "-p" `);
}

function isServerOf(pid: number, cluster: string): boolean {
  if (process.platform === 'linux') return isIn(pid, cluster);
  try {
    const command = execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' });
    return command.includes('postgres') && command.includes(cluster);
  } catch {
    return false;
  }
}

/** Sessions of a server that was killed hold its shared memory, and the next one cannot start. Nobody hears them. */
async function endLeftovers(cluster: string): Promise<void> {
  for (let round = 0; round < 100; round += 1) {
    const left = processesIn(cluster);
    if (left.length === 0) return;
    for (const pid of left) send(pid, round < 50 ? 'SIGQUIT' : 'SIGKILL');
    await sleep(100);
  }
}

/** Every process of PostgreSQL works in its data directory. Linux only; elsewhere the server's own check must do. */
export function processesIn(cluster: string): number[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => isIn(pid, cluster));
}

function isIn(pid: number, cluster: string): boolean {
  try {
    // A person's shell may stand in the folder.
    if (!readFileSync(`/proc/${pid}/comm`, 'utf8').startsWith('postgres')) return false;
    // One that was started this moment has not gone there yet.
    return (
      readlinkSync(`/proc/${pid}/cwd`) === cluster ||
      readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`\0-D\0${cluster}\0`)
    );
  } catch {
    return false;
  }
}
