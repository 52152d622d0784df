const width = 24;

export interface ProgressBar {
  update(done: number, of: number): void;
  /** Takes the bar away: what is printed next begins at the left. */
  end(): void;
}

/** A bar on stderr that redraws itself; nothing where stderr is no terminal or nobody wants it. */
export function progressBar(
  what: string,
  wanted: boolean,
  stream: Pick<NodeJS.WriteStream, 'isTTY' | 'write'> = process.stderr,
): ProgressBar {
  if (!wanted || !stream.isTTY) return { update: () => undefined, end: () => undefined };
  let drawn = '';
  return {
    update(done, of) {
      const share = of === 0 ? 1 : Math.min(1, done / of);
      const filled = Math.floor(share * width);
      const bar = `${'█'.repeat(filled)}${'░'.repeat(width - filled)} ${String(Math.floor(share * 100)).padStart(3)} %`;
      // A million records are a hundred drawings.
      if (bar === drawn && done < of) return;
      drawn = bar;
      stream.write(`\r\u001b[K${bar}  ${done}/${of} ${what}`);
    },
    end() {
      if (drawn !== '') stream.write('\r\u001b[K');
    },
  };
}
