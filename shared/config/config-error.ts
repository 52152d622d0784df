import { SendoffError } from '#shared/errors.js';

/** Everything that is wrong with file or environment, one line each: `sendoff.yaml:12:5 key: what (remedy)`. */
export class ConfigError extends SendoffError {
  readonly lines: string[];

  constructor(lines: string[]) {
    super(lines.join('\n'), { code: 'CONFIG_INVALID', blame: 'input' });
    this.lines = lines;
  }
}

/** A line that nothing from outside can break in two or colour: control and direction characters become visible. */
export function oneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are the subject
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, '\ufffd');
}
