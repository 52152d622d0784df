import { type Failure, PermanentError, SendoffError, WaitError } from '#shared/errors.js';

// What SendGrid's answers mean to the executor (sendgrid.md §2). No error holds the key or a header.

/** 429, or our own mirror of its window: wait; nothing was applied. */
export class SendGridLimited extends WaitError {}

/** 401: the key is wrong or revoked. The account's breaker opens; its work waits. */
export class SendGridUnauthorized extends WaitError {}

/**
 * A definitive refusal: 400, 403, 409, 422, the 500 that says "invalid scopes provided" (sendgrid.md §12), and what is
 * not sent at all because it can't be asked of SendGrid.
 */
export class SendGridRefused extends PermanentError {}

/** 404: nothing was changed. After a DELETE it may mean a wrong name as well as one that is gone (sendgrid.md §9). */
export class SendGridNotFound extends SendoffError {}

/** 5xx, timeout, reset, redirect, half an answer, too much of one, or one that is none: nobody knows. */
export class SendGridOutage extends SendoffError {
  /** May the request have been applied? */
  readonly sent: boolean;

  constructor(message: string, sent: boolean, failure: Failure) {
    super(message, failure);
    this.sent = sent;
  }
}

/** May SendGrid have carried out the request that ended in this error? */
export function mayHaveBeenApplied(error: unknown): boolean {
  if (error instanceof SendGridOutage) return error.sent;
  const definitive = [SendGridLimited, SendGridUnauthorized, SendGridRefused, SendGridNotFound];
  return !definitive.some((kind) => error instanceof kind);
}

/** SendGrid's own words out of any of its three error shapes (sendgrid.md §2), on one line; never fails. */
export function wordsOf(body: string): string {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return oneLine(body);
  }
  const errors = Array.isArray(parsed) ? parsed : fieldOf(parsed, 'errors');
  const list = Array.isArray(errors) ? errors : [parsed];
  return oneLine(
    list
      .map(wordsOfOne)
      .filter((text) => text !== '')
      .join('; '),
  );
}

function wordsOfOne(item: unknown): string {
  if (typeof item === 'string') return item;
  const text = [fieldOf(item, 'message'), fieldOf(item, 'error')].find((one) => typeof one === 'string') ?? '';
  const field = fieldOf(item, 'field');
  // "null" as a string is in two published examples.
  return typeof field === 'string' && field !== 'null' && field !== '' ? `${text} (${field})` : String(text);
}

function fieldOf(item: unknown, name: 'errors' | 'message' | 'error' | 'field'): unknown {
  return typeof item === 'object' && item !== null ? (item as Record<string, unknown>)[name] : undefined;
}

/** Control characters could forge log lines or colour a terminal. */
function oneLine(text: string): string {
  return text
    .slice(0, 4_000)
    .replace(/[\p{C}\s]+/gu, ' ')
    .trim();
}
