import { createHash, randomUUID } from 'node:crypto';
import { link, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { SendoffError } from '#shared/errors.js';
import { type Lamp, lightLamp, lookAtLamp } from './lamp.js';
import { identify, judge, type ProcessIdentity } from './process-identity.js';

// One owner per folder. The lock's file appears with its whole content (link) and names its holder. A dead holder's
// lock is replaced only by whoever holds the claim on exactly that content, taken the same way: so of two that race
// for a stale lock one wins, and a slow one cannot replace the winner's.

const LOCK = 'owner.lock';

export interface Holder extends ProcessIdentity {
  /** Unique per taking. */
  nonce: string;
  /** Socket in the folder that answers while the holder lives; null where there is none. */
  lamp: string | null;
}

export interface FolderLock {
  holder: Holder;
  release(): Promise<void>;
}

/**
 * Takes the folder for this process.
 * @throws SendoffError DATA_FOLDER_OWNED (facts: pid, host) while its holder lives or its death is in doubt.
 */
export async function lockFolder(dir: string): Promise<FolderLock> {
  const nonce = randomUUID();
  const lamp = await lightLamp(dir, `owner-${nonce}.sock`);
  const holder: Holder = { ...identify(), nonce, lamp: lamp?.name ?? null };
  const mine = join(dir, `${LOCK}.${nonce}.tmp`);
  try {
    await writeDurably(mine, JSON.stringify(holder));
    await seize(dir, join(dir, LOCK), mine);
    await removeLeftovers(dir, holder);
  } catch (error) {
    await lamp?.putOut();
    throw error;
  } finally {
    await rm(mine, { force: true });
  }
  return { holder, release: () => release(dir, holder, lamp) };
}

/** The folder's holder when one certainly lives, else null. */
export async function livingHolder(dir: string): Promise<Holder | null> {
  const holder = parse(await readOrNull(join(dir, LOCK)));
  return holder !== null && (await fate(dir, holder)) === 'alive' ? holder : null;
}

async function seize(dir: string, path: string, mine: string): Promise<void> {
  for (;;) {
    if (await linked(mine, path)) return;
    const found = await readOrNull(path);
    if (found === null) continue;
    const holder = parse(found);
    const verdict = holder === null ? 'unknown' : await fate(dir, holder);
    if (verdict !== 'dead') throw owned(path, holder, verdict);
    const claim = `${path}.${createHash('sha256').update(found).digest('hex').slice(0, 16)}`;
    await seize(dir, claim, mine);
    try {
      // Under the claim nobody else may replace this content; but somebody may have done so before we had the claim.
      if ((await readOrNull(path)) === found) {
        await link(mine, `${mine}2`);
        await rename(`${mine}2`, path);
        return;
      }
    } finally {
      await rm(claim, { force: true });
    }
  }
}

async function fate(dir: string, holder: Holder): Promise<'alive' | 'dead' | 'unknown'> {
  const verdict = judge(holder);
  if (verdict !== 'elsewhere') return verdict;
  const lamp = holder.lamp === null ? 'unknown' : await lookAtLamp(dir, holder.lamp);
  return lamp === 'lit' ? 'alive' : lamp === 'out' ? 'dead' : 'unknown';
}

async function release(dir: string, holder: Holder, lamp: Lamp | null): Promise<void> {
  const path = join(dir, LOCK);
  // Somebody may have removed our lock by hand and started another Sendoff.
  if (parse(await readOrNull(path))?.nonce === holder.nonce) await rm(path, { force: true });
  await lamp?.putOut();
}

/** Claims and sockets of the dead. Claims on older content lead nowhere once the lock is ours. */
async function removeLeftovers(dir: string, holder: Holder): Promise<void> {
  for (const name of await readdir(dir)) {
    const socket = /^owner-.*\.sock$/.test(name) && name !== holder.lamp && (await lookAtLamp(dir, name)) === 'out';
    const claim = /^owner\.lock(\.[0-9a-f]{16})+$/.test(name);
    const draft = /^owner\.lock\..*\.tmp2?$/.test(name) && (await isDeads(dir, name));
    if (socket || claim || draft) await rm(join(dir, name), { force: true });
  }
}

async function isDeads(dir: string, name: string): Promise<boolean> {
  const holder = parse(await readOrNull(join(dir, name)));
  return holder !== null && (await fate(dir, holder)) === 'dead';
}

async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function readOrNull(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

function parse(text: string | null): Holder | null {
  try {
    const value = JSON.parse(text ?? '') as Partial<Holder>;
    return typeof value.pid === 'number' && typeof value.nonce === 'string' ? (value as Holder) : null;
  } catch {
    return null;
  }
}

function owned(path: string, holder: Holder | null, verdict: 'alive' | 'unknown'): SendoffError {
  const who = holder === null ? 'a holder that cannot be read' : `process ${holder.pid} on ${holder.host}`;
  const doubt = verdict === 'alive' ? '' : ', and whether it still lives cannot be told from here';
  return new SendoffError(`the data folder belongs to ${who}${doubt}`, {
    code: 'DATA_FOLDER_OWNED',
    blame: 'input',
    remedy:
      verdict === 'alive'
        ? `Use the one that runs, stop it (kill ${holder?.pid}), or give this one its own SENDOFF_DATA.`
        : `When you are sure that it no longer runs anywhere, delete ${path} and start again.`,
    facts: { pid: holder?.pid ?? null, host: holder?.host ?? null, lock: path },
  });
}
