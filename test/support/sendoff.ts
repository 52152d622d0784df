import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

// The built Sendoff as real processes, as an operator runs it.

const main = resolve(fileURLToPath(import.meta.url), '../../../dist/cli/main.js');

export interface RunResult {
  code: number;
  stdout: string;
  stderr: string;
}

export interface SendoffProcess {
  child: ChildProcess;
  /** Everything it printed so far. */
  output(): string;
  /** SIGTERM, and its exit code. */
  stop(): Promise<number | null>;
  /** SIGKILL. */
  kill(): Promise<void>;
}

/** A folder with a configuration, and the environment to run commands in. */
export interface Workplace {
  dir: string;
  env: NodeJS.ProcessEnv;
  /** Runs one command to its end. */
  run(args: string[], env?: NodeJS.ProcessEnv): Promise<RunResult>;
  /** Starts a role and waits until it says that it is up. */
  start(role: 'up' | 'web' | 'worker', env?: NodeJS.ProcessEnv): Promise<SendoffProcess>;
  remove(): Promise<void>;
}

const upMessage = { up: 'Sendoff is up at', web: 'web is up', worker: 'worker is up' };

/** @param config text of sendoff.yaml */
export async function createWorkplace(config: string, env: NodeJS.ProcessEnv = {}): Promise<Workplace> {
  const dir = await mkdtemp(join(tmpdir(), 'sendoff-test-'));
  // Run by root, the embedded server is another user: let it in, or its data would be staged elsewhere and stay there.
  await chmod(dir, 0o711);
  await writeFile(join(dir, 'sendoff.yaml'), config);
  const base: NodeJS.ProcessEnv = {
    PATH: process.env.PATH,
    HOME: dir,
    SENDOFF_ENV: 'test',
    SENDOFF_DATA: join(dir, 'data'),
    SENDOFF_ADMIN_TOKEN: 'test-admin-token-0123456789',
    PORT: '0',
    HOST: '127.0.0.1',
    ...env,
  };
  return {
    dir,
    env: base,
    run: (args, more) =>
      new Promise((done) => {
        execFile(
          process.execPath,
          [main, ...args],
          { cwd: dir, env: { ...base, ...more }, maxBuffer: 1 << 28 },
          (error, stdout, stderr) => {
            done({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : 1, stdout, stderr });
          },
        );
      }),
    start: (role, more) => startRole(role, dir, { ...base, ...more }),
    remove: () => rm(dir, { recursive: true, force: true }),
  };
}

async function startRole(role: 'up' | 'web' | 'worker', cwd: string, env: NodeJS.ProcessEnv): Promise<SendoffProcess> {
  const child = spawn(process.execPath, [main, role], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const exited = once(child, 'exit') as Promise<[number | null]>;
  const up = new Promise<void>((resolve, reject) => {
    const take = (chunk: Buffer): void => {
      output += chunk.toString();
      if (output.includes(upMessage[role])) resolve();
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    exited.then(([code]) => reject(new Error(`sendoff ${role} ended with ${code} before it was up:\n${output}`)));
  });
  up.catch(() => undefined);
  await up;
  return {
    child,
    output: () => output,
    async stop() {
      child.kill('SIGTERM');
      return (await exited)[0];
    },
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}

/** Asks until the answer is yes. Time never decides: the limit only ends a test that hangs. */
export async function until<T>(
  what: string,
  ask: () => Promise<T | false | null | undefined> | T | false | null | undefined,
  withinMs = 120_000,
): Promise<T> {
  const end = Date.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (answer !== false && answer !== null && answer !== undefined) return answer;
    if (Date.now() > end) throw new Error(`did not come true in ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
