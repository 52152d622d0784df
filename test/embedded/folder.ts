import { chmod, mkdir, mkdtemp, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { startEmbedded } from '#shared/store/embedded/index.js';
import { processesIn } from '#shared/store/embedded/orphan.js';
import { silent } from '#test/support/silent.js';

export interface TestFolder {
  /** Not made yet: that is Sendoff's to do. */
  dataDir: string;
  cluster: string;
  /** Stops whatever still runs on it and removes it. */
  remove(): Promise<void>;
}

/** A place for a data folder that PostgreSQL's user can reach. */
export async function testFolder(mode = 0o711): Promise<TestFolder> {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'embedded-')));
  await chmod(root, mode);
  const dataDir = join(root, 'deep', 'data');
  await mkdir(join(root, 'deep'), { mode: 0o711 });
  const remove = async (): Promise<void> => {
    // Adopts what a failed test may have left running.
    await startEmbedded({ dataDir, log: silent }).then((embedded) => embedded.stop());
    await rm(root, { recursive: true, force: true });
  };
  return { dataDir, cluster: join(dataDir, 'postgres'), remove };
}

export async function query<T extends object>(url: string, text: string): Promise<T[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<T>(text)).rows;
  } finally {
    await client.end();
  }
}

export async function rowIds(url: string): Promise<number[]> {
  return (await query<{ id: number }>(url, 'select id from row order by id')).map((row) => row.id);
}

export async function postmasterPid(cluster: string): Promise<number> {
  return Number((await readFile(join(cluster, 'postmaster.pid'), 'utf8')).split('\n', 1)[0]);
}

/** Servers on the cluster: processes of PostgreSQL there whose parent is none of them. */
export async function countPostmasters(cluster: string): Promise<number> {
  const pids = processesIn(cluster);
  const parents = await Promise.all(
    pids.map(async (pid) => {
      const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
      return stat === '' ? pids[0] : Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    }),
  );
  return parents.filter((parent) => parent !== undefined && !pids.includes(parent)).length;
}
