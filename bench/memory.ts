import type { ChildProcess } from 'node:child_process';
import { readFile } from 'node:fs/promises';

/** @returns what the kernel says was the most so far, in MiB: it is asked often, for a process that has ended tells nothing */
export function watchMemory(child: ChildProcess): () => number {
  let peak = 0;
  const timer = setInterval(async () => {
    const status = await readFile(`/proc/${child.pid}/status`, 'utf8').catch(() => '');
    peak = Math.max(peak, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0));
  }, 100);
  child.on('exit', () => clearInterval(timer));
  return () => peak / 1_024;
}
