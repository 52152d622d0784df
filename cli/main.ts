#!/usr/bin/env node
import { CommanderError } from 'commander';
import { exitCodes, reportFailure } from './output.js';
import { createProgram } from './program.js';

// Whoever reads has seen enough (`sendoff audit export | head`): that is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(process.exitCode ?? exitCodes.done);
});

const words = process.argv.slice(2);
try {
  // What a shell asks when its user presses the tabulator; completion.ts prints the scripts that do so.
  if (words[0] === 'complete') await (await import('./complete.js')).complete(words.slice(1));
  else await (await createProgram(words)).parseAsync();
} catch (error) {
  // Commander has printed its own message already; help and version are no failures.
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
  // What a role opened before it failed would keep the process alive.
  else process.exit(reportFailure(error));
}
