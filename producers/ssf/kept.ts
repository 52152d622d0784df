/** What is kept of a stream besides its id, in the one text that a stored subscription has room for. */
export interface Kept {
  /** Of the verification that was asked for last; null: none was. */
  state: string | null;
  /** The audience that the transmitter gave the stream; [] = it did not say. */
  audience: string[];
}

export function readKept(text: string | null): Kept {
  const [state = '', ...audience] = (text ?? '').split(' ');
  return { state: state === '' ? null : state, audience: audience.map(decodeURIComponent) };
}

export function writeKept({ state, audience }: Kept): string | null {
  if (state === null && audience.length === 0) return null;
  return [state ?? '', ...audience.map(encodeURIComponent)].join(' ');
}
