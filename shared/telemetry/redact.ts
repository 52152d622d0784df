// What keeps secrets out of texts: by what they are called, and by what they are.

const mark = '[redacted]';
/** Shorter ones would be found by accident in every other line. Not below four: see beginningAt. */
const shortest = 4;
/** From this length on a line of a secret with several lines is a secret of its own. */
const shortestLine = 16;

/**
 * Takes known secrets out of a text, in every form in which they get into one: as they are, inside JSON, in a URL, in
 * base64 (also in the middle of it, as in a Basic header), and line by line for keys that have several. Also takes out
 * what looks like a SendGrid key, an Okta token or a bearer token, known or not.
 */
export function scrubber(secrets: readonly string[]): (text: string) => string {
  const byBeginning = new Map<number, string[]>();
  for (const form of new Set(secrets.flatMap(formsOf))) {
    const beginning = beginningAt(form, 0);
    byBeginning.set(beginning, [...(byBeginning.get(beginning) ?? []), form]);
  }
  return (text) => {
    const places = byBeginning.size === 0 ? [] : placesOf(byBeginning, text);
    const known = places.length === 0 ? text : cut(text, places);
    return known.replace(/\b(SG\.[\w-]{10,}\.[\w-]{10,}|(SSWS|Bearer|Basic) [\w.~+/-]{16,}=*)/g, mark);
  };
}

function formsOf(secret: string): string[] {
  if (secret.trim().length < shortest) return [];
  const parts = secret.split(/\r?\n|\\n/).map((line) => line.trim());
  const lines =
    parts.length === 1 ? [] : parts.filter((line) => line.length >= shortestLine && !line.startsWith('-----'));
  return [secret, secret.trim(), ...lines].flatMap((text) => {
    const bytes = Buffer.from(text, 'utf8');
    const inJson = JSON.stringify(text).slice(1, -1);
    const inUrl = encodeURIComponent(bytes.toString('utf8'));
    return [
      text,
      inJson,
      JSON.stringify(inJson).slice(1, -1),
      inUrl,
      inUrl.replace(/%../g, (code) => code.toLowerCase()),
      encodeURI(bytes.toString('utf8')),
      new URLSearchParams([['', text]]).toString().slice(1),
      ...base64Forms(bytes),
    ];
  });
}

/** Base64 of the secret alone, and its part that stays the same whatever stands before and behind it. */
function base64Forms(bytes: Buffer): string[] {
  const whole = [bytes.toString('base64'), bytes.toString('base64url')];
  const inside = [0, 1, 2].flatMap((before) => {
    const padded = Buffer.concat([Buffer.alloc(before), bytes]);
    const from = Math.ceil((before * 8) / 6);
    const to = Math.floor((padded.length * 8) / 6);
    return [padded.toString('base64').slice(from, to), padded.toString('base64url').slice(from, to)];
  });
  return [...whole, ...inside.filter((form) => form.length >= 8)];
}

type Place = { from: number; to: number };

/** One pass over the text, however many secrets there are: every line of the log goes through here. */
function placesOf(byBeginning: ReadonlyMap<number, readonly string[]>, text: string): Place[] {
  const places: Place[] = [];
  for (let from = 0; from <= text.length - shortest; from += 1) {
    for (const form of byBeginning.get(beginningAt(text, from)) ?? []) {
      if (text.startsWith(form, from)) places.push({ from, to: from + form.length });
    }
  }
  return places;
}

/** The first four characters as one number; different ones seldom share it. */
function beginningAt(text: string, at: number): number {
  const first = text.charCodeAt(at) + text.charCodeAt(at + 1) * 31;
  return first + text.charCodeAt(at + 2) * 961 + text.charCodeAt(at + 3) * 29_791;
}

/** Overlapping places are cut as one, so that of two secrets in one another nothing stays. */
function cut(text: string, places: Place[]): string {
  let result = '';
  let end = 0;
  for (const { from, to } of places.sort((a, b) => a.from - b.from)) {
    if (from >= end) result += text.slice(end, from) + mark;
    end = Math.max(end, to);
  }
  return result + text.slice(end);
}

/** Last words of names whose values are secret, as in `X-Api-Key`, `hookSecret`, `proxy_authorization`. */
const secretName =
  /(authorization|cookie|apikey|token|secret|password|passwd|passphrase|privatekey|signingkey|credentials?|assertion)s?$/;
/** What HTTP libraries hang on their errors and pass around: they hold headers and bodies. */
const carrierName = /^(headers?|rawheaders|config|options|request|req|response|res|body)$/;
const deepest = 6;
const most = 100;

/**
 * A value as it may be logged: texts without known secrets, nothing under a secret's name, nothing of what carries
 * requests and responses, errors by their telling fields, and of other objects no more than their kind.
 */
export function presentable(value: unknown, scrub: (text: string) => string, depth = 0): unknown {
  if (typeof value === 'string') return scrub(value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Error) return describeError(value, scrub, depth);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
  if (depth >= deepest) return '[deeper]';
  if (Array.isArray(value)) return value.slice(0, most).map((item) => presentable(item, scrub, depth + 1));
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return `[${value.constructor?.name ?? 'Object'}]`;
  return Object.fromEntries(
    Object.entries(value)
      .slice(0, most)
      .map(([name, inner]) => [scrub(name), underName(name, inner, scrub, depth)]),
  );
}

function underName(name: string, value: unknown, scrub: (text: string) => string, depth: number): unknown {
  const plain = name.toLowerCase().replace(/[^a-z0-9]/g, '');
  if (value === null || value === undefined || typeof value === 'boolean') return value;
  if (secretName.test(plain)) return mark;
  if (typeof value === 'object' && carrierName.test(plain)) return '[left out]';
  return presentable(value, scrub, depth + 1);
}

/** The fields of an error that tell something, in the order in which they are read; everything else stays behind. */
function describeError(error: Error, scrub: (text: string) => string, depth: number): unknown {
  if (depth >= deepest) return scrub(error.message);
  const { code, status, errorCode, errorId, blame, remedy, facts } = error as unknown as Record<string, unknown>;
  const isExpected = blame === 'input' || blame === 'remote';
  const fields = { code, status, errorCode, errorId, blame, remedy, facts };
  const inner = (value: unknown) => presentable(value, scrub, depth + 1);
  return {
    name: error.name,
    ...Object.fromEntries(
      Object.entries(fields).flatMap(([name, value]) => (isTelling(value) ? [[name, inner(value)]] : [])),
    ),
    message: scrub(error.message).slice(0, 4_000),
    ...(isExpected ? {} : { stack: framesOf(error, scrub) }),
    ...(error instanceof AggregateError ? { errors: inner(error.errors.slice(0, 5)) } : {}),
    ...(error.cause === undefined || error.cause === null ? {} : { cause: inner(error.cause) }),
  };
}

function isTelling(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0;
  return typeof value === 'string' || typeof value === 'number';
}

/** Where it happened, without the message that begins a stack. */
function framesOf(error: Error, scrub: (text: string) => string): string | undefined {
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  return frames.length === 0 ? undefined : scrub(frames.slice(0, 12).join('\n'));
}
