import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findNative, program } from '#shared/store/embedded/binaries.js';
import { DATABASE, prepareCluster, ROLE, serverEnv } from '#shared/store/embedded/cluster.js';
import { settleHome } from '#shared/store/embedded/home.js';
import { processesIn } from '#shared/store/embedded/orphan.js';
import { send, serverArguments } from '#shared/store/embedded/postmaster.js';
import { answers } from '#shared/store/embedded/probe.js';
import { findAccount } from '#shared/store/embedded/run-as.js';
import { STAGING_ROOTS } from '#shared/store/embedded/stage.js';
import { freePort, until } from './sendoff.js';

/** A real PostgreSQL of the test's own, which nobody brings back when it dies. */
export interface TestPostgres {
  url: string;
  start(): Promise<void>;
  /** SIGQUIT is what `pg_ctl stop -m immediate` sends; SIGKILL ends all of its processes. Waits until none is left. */
  kill(signal: 'SIGQUIT' | 'SIGKILL'): Promise<void>;
  remove(): Promise<void>;
}

/** The embedded server's binaries and settings, started. */
export async function createPostgres(maxConnections = 100): Promise<TestPostgres> {
  const dataDir = await realpath(await mkdtemp(join(tmpdir(), 'sendoff-postgres-')));
  await chmod(dataDir, 0o711);
  const native = await findNative();
  const home = await settleHome(dataDir, native, await findAccount(), STAGING_ROOTS);
  const password = await prepareCluster(dataDir, home);
  const port = await freePort();
  const url = `postgres://${ROLE}:${password}@127.0.0.1:${port}/${DATABASE}`;
  let server: ChildProcess;
  const start = async (): Promise<void> => {
    const settings = ['-c', `max_connections=${maxConnections}`, '-p', String(port)];
    server = spawn(program(native, 'postgres'), [...serverArguments(home), ...settings], {
      ...home.account,
      cwd: home.dir,
      env: serverEnv,
      stdio: 'ignore',
    });
    await until('PostgreSQL answers', () => answers(url));
  };
  const kill = async (signal: 'SIGQUIT' | 'SIGKILL'): Promise<void> => {
    for (const pid of signal === 'SIGKILL' ? processesIn(home.cluster) : [server.pid ?? 0]) send(pid, signal);
    await until('every process of the server is gone', () => processesIn(home.cluster).length === 0);
  };
  await start();
  return {
    url,
    start,
    kill,
    async remove() {
      await kill('SIGKILL');
      await rm(dataDir, { recursive: true, force: true });
      await rm(home.dir, { recursive: true, force: true });
    },
  };
}
