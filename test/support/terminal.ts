import { CommanderError } from 'commander';
import { reportFailure } from '#cli/output.js';
import { createProgram } from '#cli/program.js';
import type { RunResult } from './sendoff.js';

/**
 * Runs a command within this process, as cli/main.ts does: a process for each takes a second, and a comparison takes a
 * hundred. One at a time, for it is the process whose environment and output it has.
 */
export async function runHere(args: string[], env: NodeJS.ProcessEnv): Promise<RunResult> {
  const before = { env: process.env, out: process.stdout.write, err: process.stderr.write };
  const written = { stdout: '', stderr: '' };
  const into = (name: keyof typeof written) => (text: string | Uint8Array) => {
    written[name] += String(text);
    return true;
  };
  process.env = env;
  process.stdout.write = into('stdout') as typeof process.stdout.write;
  process.stderr.write = into('stderr') as typeof process.stderr.write;
  process.exitCode = undefined;
  try {
    const code = await (await createProgram(args)).parseAsync(args, { from: 'user' }).then(
      () => Number(process.exitCode ?? 0),
      (error: unknown) => (error instanceof CommanderError ? (error.exitCode === 0 ? 0 : 2) : reportFailure(error)),
    );
    return { code, ...written };
  } finally {
    process.env = before.env;
    process.stdout.write = before.out;
    process.stderr.write = before.err;
    process.exitCode = undefined;
  }
}
