import type { IncomingHttpHeaders } from 'node:http';
import type { NormalizedEntry } from '#shared/lifecycle/types.js';
import type { StoredSubscription } from '#shared/store/subscriptions.js';

/** A request to a hook, before anything in it is believed. */
export interface HookRequest {
  /** `/hooks/<source>`, or `/hooks/<source>/lifecycle`, where Graph tells of its subscriptions. */
  part: 'events' | 'lifecycle';
  headers: IncomingHttpHeaders;
  /** Names and values as they came: the parsed form hides repeated headers. */
  rawHeaders: string[];
  query: Record<string, unknown>;
  body: Buffer;
}

export interface Answer {
  status: number;
  headers: Record<string, string>;
  body: unknown;
}

export type Verdict =
  | { ok: true }
  /** Not theirs: 401. */
  | { ok: false; why: 'unauthenticated' }
  /** We can't tell, and that is our fault: 503, the sender is told to come again. */
  | { ok: false; why: 'misconfigured' | 'unavailable' }
  /** Not theirs, and a sender that would repeat it for hours: 202, counted, no row. */
  | { ok: false; why: 'discarded' }
  /** Not theirs, and their protocol has a word for it. */
  | { ok: false; why: 'refused'; answer: Answer };

/** A configured source that is sent to us. */
export interface PushSource {
  /** Is this request really theirs? Raw bytes in, verdict out; asks nothing but keys that are kept at hand. */
  verify(request: HookRequest): Verdict | Promise<Verdict>;
  /** Their delivery -> our entries, in their order. Pure; never throws: what can't be read is quarantined. */
  normalize(request: HookRequest): NormalizedEntry[];
  /** Answers the one-time question by which the sender checks the address; null when the request is none. */
  handshake?(request: HookRequest): Answer | null;
  /** How that question is asked; GET unless the protocol says otherwise. */
  handshakeBy?: 'GET' | 'POST';
  /** The status that says "stored"; 204 unless the protocol wants another. */
  accepted?: number;
  /** Tasks of this source that a verified request makes due: a delivery may say that others were lost. */
  asksFor?(request: HookRequest): string[];
}

/** The upkeep of a source's subscriptions, as a task: what `asksFor` may name beside the source's own polls. */
export const subscriptionsTask = 'subscriptions';

/** Entries and the place after them: both are committed together. */
export interface Page {
  entries: NormalizedEntry[];
  cursor: string;
  /** Tasks of this source that the page makes due: it may tell of deliveries that failed. */
  asksFor?: string[];
}

/** A list of what happened that the sender keeps, asked from where it was left off. */
export interface PollStream {
  /** Names its cursor, such as `system-log`. */
  task: string;
  everyMs: number;
  /**
   * Everything since the cursor, page by page; null: from now on, with some overlap.
   * @throws CursorLost when the sender knows it no longer
   * @throws WaitError when it asks to be left alone for a while
   */
  pages(cursor: string | null): AsyncGenerator<Page>;
}

/** The sender no longer knows where we were: it is asked anew, and nothing is concluded from what is missing. */
export class CursorLost extends Error {}

export const subscriptionStates = ['active', 'unverified', 'inactive', 'expired', 'missing'] as const;

/** One hook, channel, subscription or stream at the provider, as it is now. */
export interface SubscriptionState {
  /** What it is about, such as `users`. */
  kind: string;
  remoteId: string | null;
  state: (typeof subscriptionStates)[number];
  expiresAt: Date | null;
  detail: string;
  /** What to do about it; empty when it is active. */
  remedy: string;
  /** It works again, and nobody will ever tell what happened while it did not. */
  wasAway?: boolean;
}

export interface SubscriptionContext {
  /** Where the provider is to send to: `https://…/hooks/<source>`. */
  hookUrl: string;
  stored: readonly StoredSubscription[];
  /** Before the provider is told of it and after: nothing may arrive from what is not known. @returns its id */
  save(row: Omit<StoredSubscription, 'id' | 'source' | 'createdAt'> & { id?: string }): Promise<string>;
  forget(id: string): Promise<void>;
  now: Date;
}

/** Hooks and subscriptions that the provider lets us make. */
export interface SubscriptionKeeper {
  /** How often what there is is looked at, renewed past half of its life, and repaired. */
  checkEveryMs: number;
  list(context: SubscriptionContext): Promise<SubscriptionState[]>;
  /** Creates what is missing, verifies, renews, repairs; safe to repeat. */
  ensure(context: SubscriptionContext): Promise<SubscriptionState[]>;
  /** @returns how many were removed */
  remove(context: SubscriptionContext): Promise<number>;
}

/** One row of a file that an operator hands over. */
export interface ImportedRow {
  /** As the operator's spreadsheet counts. */
  number: number;
  /** null: it can't be read, and `faults` say why; or its day has not come. */
  entry: NormalizedEntry | null;
  faults: { column: string | null; text: string }[];
}

/** Reads files that are handed over as events of this source. */
export interface FileImport {
  /** Tells one content from another. */
  digest(path: string): Promise<string>;
  /** @throws SendoffError, at the latest behind the last row, when the file as a whole can't be read */
  rows(path: string): AsyncGenerator<ImportedRow>;
}

/** One configured source. */
export interface Source {
  name: string;
  /** null: nobody sends to it. */
  push: PushSource | null;
  polls: PollStream[];
  /** null: made by hand at the provider, if at all. */
  subscriptions: SubscriptionKeeper | null;
  /** Absent: `sendoff events import` takes nothing for it. */
  imports?: FileImport;
}

/** What a source is built with. */
export interface SourceTools {
  /** The source's subscriptions, a few seconds old at the most; a newer one is looked for when `wanted` is not there. */
  subscriptions(wanted: (row: StoredSubscription) => boolean): Promise<StoredSubscription[]>;
  /** When something of the source was stored last, by push or by poll. */
  lastEventAt(): Promise<Date | null>;
}
