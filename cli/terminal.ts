import { styleText } from 'node:util';

/** What a stream can show. */
export interface Look {
  colours: boolean;
  /** null: no terminal, so nothing is cut. */
  columns: number | null;
}

export const plain: Look = { colours: false, columns: null };

/** A pipe or a file gets no colours; a terminal gets them unless NO_COLOR or TERM=dumb says otherwise, which Node reads. */
export function lookOf(stream: NodeJS.WriteStream): Look {
  return stream.isTTY ? { colours: stream.hasColors(), columns: stream.columns } : plain;
}

const tones = {
  good: 'green',
  attention: 'yellow',
  bad: 'red',
  over: 'dim',
} as const;

/** Words of docs/glossary.md; whatever is on its way has no colour. */
const toneOf: Record<string, keyof typeof tones> = {
  settled: 'good',
  done: 'good',
  noop: 'good',
  active: 'good',
  ok: 'good',
  told: 'good',
  registered: 'good',
  held: 'attention',
  waiting: 'attention',
  unknown: 'attention',
  quarantined: 'attention',
  unattributed: 'attention',
  failed: 'bad',
  dead: 'bad',
  FAIL: 'bad',
  ignored: 'over',
  superseded: 'over',
  expired: 'over',
  rejected: 'over',
  refused: 'over',
  revoked: 'over',
  gone: 'over',
};

/** @param state a state, which may stand among blanks */
export function coloured(state: string, { colours }: Look): string {
  const tone = toneOf[state.trim()];
  // Whether this stream takes colours was asked before: styleText would ask about stdout only.
  return colours && tone !== undefined ? styleText(tones[tone], state, { validateStream: false }) : state;
}

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });
/** Takes two columns: East Asian Wide and Fullwidth (UAX 11), and what is drawn as a picture. */
const wide =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|^\p{Emoji_Presentation}|\ufe0f/u;
const invisible = /^[\p{Mark}\p{Format}]+$/u;

function widthOfOne(grapheme: string): number {
  return invisible.test(grapheme) ? 0 : wide.test(grapheme) ? 2 : 1;
}

/** How many columns of a terminal a text takes. */
export function widthOf(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  return [...graphemes.segment(text)].reduce((sum, { segment }) => sum + widthOfOne(segment), 0);
}

export function padded(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - widthOf(text)));
}

/** Cut so that it takes no more than so many columns, and shows that it is cut. */
export function cut(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let kept = '';
  let left = width - 1;
  for (const { segment } of graphemes.segment(text)) {
    left -= widthOfOne(segment);
    if (left < 0) break;
    kept += segment;
  }
  return `${kept}…`;
}
