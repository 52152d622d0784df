const width = 24;

/** A bar on stderr that redraws itself; nothing where stderr is no terminal or nobody wants it. */
export function progressBar(what: string, wanted: boolean): { update(done: number, of: number): void; end(): void } {
  if (!wanted || !process.stderr.isTTY) return { update: () => undefined, end: () => undefined };
  return {
    update(done, of) {
      const filled = of === 0 ? width : Math.round((done / of) * width);
      process.stderr.write(`\r${'█'.repeat(filled)}${'░'.repeat(width - filled)} ${done}/${of} ${what}`);
    },
    end: () => void process.stderr.write('\r\u001b[K'),
  };
}
