import { copyFile, open, rename, rm, stat, truncate } from 'node:fs/promises';

// PostgreSQL writes to this file itself, so that it still can when Sendoff was killed. Bounded by us:
// the file and one predecessor.

const LIMIT_BYTES = 5 * 1024 * 1024;
const CHECK_EVERY_MS = 60_000;

/** Puts a full log aside. Not while a server writes to it. */
export async function rotate(path: string): Promise<void> {
  if ((await sizeOf(path)) > LIMIT_BYTES) await rename(path, `${path}.1`);
}

/** Bounds the log while a server appends to it: the tail is put aside and the file emptied in place. */
export function boundLog(path: string): { stop(): void } {
  const check = async (): Promise<void> => {
    if ((await sizeOf(path)) <= LIMIT_BYTES) return;
    await rm(`${path}.1`, { force: true });
    await copyFile(path, `${path}.1`);
    await truncate(path);
  };
  const timer = setInterval(() => void check().catch(() => undefined), CHECK_EVERY_MS);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}

export async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    (entry) => entry.size,
    () => 0,
  );
}

/** What was written after the given offset, its end when that is long. */
export async function readSince(path: string, offset: number): Promise<string> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const start = Math.max(Math.min(offset, size), size - 4_000);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - start), 0, size - start, start);
    return buffer.toString('utf8', 0, bytesRead).trim();
  } finally {
    await file.close();
  }
}
