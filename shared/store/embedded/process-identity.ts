import { execFileSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

// A pid alone proves nothing: it is reused, means something else in another container, and nothing after a reboot.

export interface ProcessIdentity {
  pid: number;
  host: string;
  /** Differs after every boot; empty where the system has none. */
  boot: string;
  /** Within which pids are comparable; empty where the system has none. */
  namespace: string;
  /** When the process started, in the system's own words: tells it from a later one with the same pid. */
  started: string;
}

/** Identity of this process, or of another on this machine. */
export function identify(pid: number = process.pid): ProcessIdentity {
  return { pid, host: hostname(), boot: bootId(), namespace: pidNamespace(), started: startTime(pid) ?? '' };
}

/** Is there a process with this pid here? One that has ended but was not reaped (a container without init) is not. */
export function isPidAlive(pid: number): boolean {
  if (process.platform === 'linux') return startTime(pid) !== null;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/**
 * Does the identified process live? `elsewhere`: same kernel, other pid namespace, where pids say nothing;
 * `unknown`: another machine, or not decidable.
 */
export function judge(other: ProcessIdentity): 'alive' | 'dead' | 'elsewhere' | 'unknown' {
  const here = identify();
  if (other.boot !== here.boot) return other.host === here.host ? 'dead' : 'unknown';
  if (other.boot === '' && other.host !== here.host) return 'unknown';
  if (other.namespace !== here.namespace) return 'elsewhere';
  if (!isPidAlive(other.pid)) return 'dead';
  return startTime(other.pid) === other.started ? 'alive' : 'dead';
}

/** null: no such process, or only its zombie. */
function startTime(pid: number): string | null {
  if (process.platform === 'linux') {
    const stat = readOr(`/proc/${pid}/stat`, '');
    // The name in parentheses may hold anything; the fields after it are fixed: state is the 3rd, start time the 22nd.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return stat === '' || fields[0] === 'Z' || fields[0] === 'X' ? null : (fields[19] ?? null);
  }
  return run('ps', ['-o', 'lstart=', '-p', String(pid)]) || null;
}

function bootId(): string {
  if (process.platform === 'darwin') return run('sysctl', ['-n', 'kern.bootsessionuuid']);
  return readOr('/proc/sys/kernel/random/boot_id', '').trim();
}

function pidNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}

function readOr(path: string, fallback: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return fallback;
  }
}

function run(command: string, args: string[]): string {
  try {
    return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return '';
  }
}
