import { describe, expect, it } from 'vitest';
import { progressBar } from './progress.js';

function terminal(isTTY = true) {
  const written: string[] = [];
  return { written, stream: { isTTY, write: (text: string) => written.push(text) > 0 } as never };
}

describe('a progress bar', () => {
  it('redraws itself by the percent, and takes itself away', () => {
    const { written, stream } = terminal();
    const bar = progressBar('records', true, stream);
    for (let done = 0; done <= 10_000; done += 1) bar.update(done, 10_000);
    bar.end();
    expect(written.length).toBeLessThan(130);
    expect(written[0]).toContain('  0 %  0/10000 records');
    expect(written.at(-2)).toContain('100 %  10000/10000 records');
    expect(written.at(-1)).toBe('\r\u001b[K');
  });

  it.each([
    ['where nobody sits', true, false],
    ['where nobody wants it', false, true],
  ])('writes nothing %s', (_where, wanted, isTTY) => {
    const { written, stream } = terminal(isTTY);
    const bar = progressBar('records', wanted, stream);
    bar.update(1, 2);
    bar.end();
    expect(written).toEqual([]);
  });
});
