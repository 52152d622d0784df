import { type DestinationStream, type Logger, type LoggerOptions, pino, stdTimeFunctions } from 'pino';
import { prettyFactory } from 'pino-pretty';
import { presentable, scrubber } from './redact.js';

export type Log = Logger;

export interface LogOptions {
  level: LoggerOptions['level'] & string;
  /** Which part of Sendoff speaks: web, worker, up. */
  role: string;
  /** Every known secret value: none of them leaves this process. */
  secrets: readonly string[];
  /** Where lines go; stdout unless given. */
  destination?: DestinationStream;
  /** Lines for people instead of JSON; unless given, on a terminal. */
  pretty?: boolean;
}

/** For the bindings of child loggers, which no formatter sees. Exact and case-sensitive: redact.ts does the rest. */
const redactPaths = [
  'authorization',
  'Authorization',
  'cookie',
  'apiKey',
  'token',
  'password',
  'secret',
  'hookSecret',
  'privateKey',
  'headers',
];

/**
 * JSON lines for machines, readable ones on a terminal. A message is a constant; what varies is a field. Secrets are
 * kept out three times: by the names and kinds of fields (redact.ts), by pino's paths, and by value from the finished
 * line. One record is one line, whatever is in it.
 */
export function createLog({ level, role, secrets, destination, pretty }: LogOptions): Log {
  const scrub = scrubber(secrets);
  const target = destination ?? process.stdout;
  const forPeople = pretty ?? (destination === undefined && process.stdout.isTTY);
  const render = forPeople
    ? prettyFactory({ ignore: 'pid,role', colorize: process.stdout.isTTY })
    : (line: string) => line;
  const show = forPeople ? escapeForPeople : escapeForMachines;
  const describe = (value: unknown) => presentable(value, scrub);
  return pino(
    {
      level,
      base: { role, pid: process.pid },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { log: (record) => describe(record) as Record<string, unknown> },
      serializers: { err: describe, error: describe },
      redact: { paths: redactPaths.flatMap((key) => [key, `*.${key}`]), censor: '[redacted]' },
    },
    { write: (line) => target.write(render(show(scrubLine(line, scrub)))) },
  );
}

/** Secrets out of a finished line, which stays JSON whatever they look like. */
function scrubLine(line: string, scrub: (text: string) => string): string {
  const clean = scrub(line);
  if (clean === line || isJson(clean)) return clean;
  // The secret looked like a number or like a piece of JSON: cut inside the values instead.
  return rewrite(line, scrub);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** JSON leaves some characters as they are that end a line or steer a terminal. */
function escapeForMachines(line: string): string {
  return line.replace(/[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, escapeOf);
}

/** Control characters as a reader sees their escapes, so that none takes effect. Frames of a stack keep their lines. */
function escapeForPeople(line: string): string {
  return rewrite(line, (text, name) =>
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are the subject
    text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, (character) =>
      name === 'stack' && character === '\n' ? character : escapeOf(character),
    ),
  );
}

/** The line with every text in it changed, names included; a number whose text would change becomes that text. */
function rewrite(line: string, change: (text: string, name: string) => string): string {
  const visit = (value: unknown, name: string): unknown => {
    if (typeof value === 'string') return change(value, name);
    if (typeof value === 'number')
      return change(String(value), name) === String(value) ? value : change(String(value), name);
    if (Array.isArray(value)) return value.map((item) => visit(item, name));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [change(key, 'name'), visit(inner, key)]));
  };
  return `${JSON.stringify(visit(JSON.parse(line), ''))}\n`;
}

function escapeOf(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
