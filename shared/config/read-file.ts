import { closeSync, openSync, readSync } from 'node:fs';
import { TextDecoder } from 'node:util';
import { messageOf } from '#shared/errors.js';
import { ConfigError } from './config-error.js';

const maxBytes = 256 * 1024;

/** The text of a configuration file. @throws ConfigError when it is missing, too large or no text */
export function readConfigFile(file: string): string {
  const refuse = (what: string, remedy: string) => new ConfigError([`${file}:1:1 ${what} (${remedy})`]);
  const bytes = Buffer.alloc(maxBytes + 1);
  let length = 0;
  try {
    // Bounded, so that a device or an endless pipe is refused instead of filling the memory.
    const descriptor = openSync(file, 'r');
    try {
      for (let read = -1; read !== 0 && length < bytes.length; length += read) {
        read = readSync(descriptor, bytes, length, bytes.length - length, null);
      }
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null;
    if (code === 'ENOENT') {
      throw refuse(
        'there is no such file',
        `copy sendoff.example.yaml to ${file}, or name yours by --config or SENDOFF_CONFIG`,
      );
    }
    if (code === 'EISDIR') throw refuse('is a folder', 'name the file in it');
    if (code === 'EACCES') throw refuse('may not be read', 'let the user that runs Sendoff read it');
    throw refuse(`cannot be read: ${messageOf(error)}`, 'name another file');
  }
  if (length > maxBytes) throw refuse('is larger than 256 KiB', 'name the right file');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, length));
  } catch {
    throw refuse('is not UTF-8 text', 'save it as UTF-8');
  }
}
