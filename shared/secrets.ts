import { createHash, timingSafeEqual } from 'node:crypto';

/** Are two secrets the same? Takes the same time whatever they hold and however long they are. */
export function sameSecret(a: string, b: string): boolean {
  return timingSafeEqual(digest(a), digest(b));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
