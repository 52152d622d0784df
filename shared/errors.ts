/** Whose fault a failure is. `bug` is ours; `input` the caller's or operator's; `remote` the other side's. */
export type Blame = 'bug' | 'input' | 'remote';

export interface Failure {
  /** Stable, `UPPER_SNAKE`, prefixed by domain (`SENDGRID_LIMITED`). Messages may change, codes may not. */
  code: string;
  blame: Blame;
  /** What to do next, in the operator's words. */
  remedy?: string;
  /** Facts for the log. Never a secret: they are printed. */
  facts?: Record<string, unknown>;
  cause?: unknown;
}

/** Base of every error that Sendoff throws on purpose. */
export class SendoffError extends Error {
  readonly code: string;
  readonly blame: Blame;
  readonly remedy: string | undefined;
  readonly facts: Record<string, unknown>;

  constructor(message: string, failure: Failure) {
    super(message, failure.cause === undefined ? undefined : { cause: failure.cause });
    this.name = new.target.name;
    this.code = failure.code;
    this.blame = failure.blame;
    this.remedy = failure.remedy;
    this.facts = failure.facts ?? {};
  }
}

/** Not now, but not failed either: the job is put back for `delayMs` and no attempt is counted. */
export class WaitError extends SendoffError {
  readonly delayMs: number;

  constructor(message: string, delayMs: number, failure: Failure) {
    super(message, failure);
    this.delayMs = delayMs;
  }
}

/** Trying again cannot help until a person changes something: the row fails and the job shows as failed. */
export class PermanentError extends SendoffError {}

/** The text of any thrown value, for a row's `last_error`. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Of a host with several addresses Node says why each failed, and nothing itself.
  if (error.message === '' && error instanceof AggregateError) return error.errors.map(messageOf).join('; ');
  return error.message || error.name;
}
