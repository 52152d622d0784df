import { isSignedBy, keyIdOf, type Signer } from './signing-key.js';

// C2SP signed note (https://c2sp.org/signed-note) holding a tlog checkpoint (https://c2sp.org/tlog-checkpoint):
// standard tools and witnesses can read it.

/** A tree's head: how many leaves, and what they add up to. */
export interface TreeHead {
  size: number;
  root: Buffer;
}

/** The head as a checkpoint: origin, size, root; an empty line; one signature. */
export function signNote(signer: Signer, { size, root }: TreeHead): string {
  const text = `${signer.keyName}\n${size}\n${root.toString('base64')}\n`;
  const signature = Buffer.concat([signer.keyId, signer.sign(text)]).toString('base64');
  return `${text}\n— ${signer.keyName} ${signature}\n`;
}

/** Does this note, signed with this key, say exactly this head? */
export function isNoteOf(note: string, { size, root }: TreeHead, publicKey: string): boolean {
  const [, text, origin, saidSize, saidRoot, keyName, encoded] =
    /^((.+)\n(\d+)\n(\S+)\n)\n— (\S+) (\S+)\n$/.exec(note) ?? [];
  if (text === undefined || keyName === undefined || encoded === undefined) return false;
  const blob = Buffer.from(encoded, 'base64');
  return (
    origin === keyName &&
    saidSize === String(size) &&
    saidRoot === root.toString('base64') &&
    blob.subarray(0, 4).equals(keyIdOf(keyName, Buffer.from(publicKey, 'base64'))) &&
    isSignedBy(publicKey, text, blob.subarray(4))
  );
}
