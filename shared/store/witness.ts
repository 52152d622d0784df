import { randomUUID } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { sql } from 'kysely';
import type { Db } from './database.js';

// A database restored from a backup looks like any other: it believes that what was done since is still to be done. A
// witness outside of it remembers how far it had come.

/** How far a database has come. */
export interface Progress {
  /** Of this database, from its first migration on; a copy has the same. */
  installation: string;
  /** Rises with everything that is recorded. */
  position: number;
}

/** Keeps the furthest progress it was shown, outside the database. */
export interface Witness {
  read(): Promise<Progress | null>;
  write(progress: Progress): Promise<void>;
}

export async function progressOf(db: Db): Promise<Progress> {
  await sql`insert into installation (id) values (${randomUUID()}) on conflict do nothing`.execute(db);
  const { rows } = await sql<{ id: string; position: string }>`
    select id, (select coalesce(max(seq), 0) from inbox) + (select coalesce(max(seq), 0) from plan)
      + (select coalesce(max(seq), 0) from action) as position from installation`.execute(db);
  return { installation: rows[0]?.id ?? '', position: Number(rows[0]?.position ?? 0) };
}

/** @returns what to tell the operator when the database is behind what the witness saw of it; null when all is well */
export function fellBehind(now: Progress, seen: Progress | null): string | null {
  if (seen === null || seen.installation !== now.installation || seen.position <= now.position) return null;
  return `the database looks restored from a backup: it is ${seen.position - now.position} records behind what was seen of it`;
}

/**
 * A witness in a file beside the data folder, and not in it: whoever restores the folder restores what is inside. Where
 * no file can be kept, it remembers nothing.
 */
export function fileWitness(dataDir: string): Witness {
  const path = `${dataDir.replace(/[/\\\\]+$/, '')}.seen`;
  return {
    read: () => readFile(path, 'utf8').then(parseProgress, () => null),
    async write(progress) {
      const draft = `${path}.${process.pid}`;
      await writeFile(draft, JSON.stringify(progress), { mode: 0o600 });
      await rename(draft, path);
    },
  };
}

export function parseProgress(text: string): Progress | null {
  try {
    const { installation, position } = JSON.parse(text) as Partial<Progress>;
    return typeof installation === 'string' && typeof position === 'number' ? { installation, position } : null;
  } catch {
    return null;
  }
}
