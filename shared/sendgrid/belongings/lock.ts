import { SendGridLimited, SendGridRefused } from '../errors.js';
import type { BelongingState } from './belonging.js';

const retryMs = 15 * 60_000;

/** 403: a campaign holds the sender (sendgrid.md §8). Wait; nothing was applied. */
export class SendGridLocked extends SendGridLimited {}

export const locked: BelongingState = {
  kind: 'pending',
  why: 'the sender is locked: a draft, scheduled or running campaign uses it',
  remind: false,
};

/** Runs a change of a sender; a campaign may have locked it after the look. */
export async function unlessLocked(change: () => Promise<unknown>): Promise<void> {
  try {
    await change();
  } catch (error) {
    const words = error instanceof SendGridRefused ? (error.message.split(' answered 403: ')[1] ?? '') : '';
    if (!/\b(un)?locked\b/i.test(words)) throw error;
    const message = error instanceof Error ? error.message : '';
    throw new SendGridLocked(message, retryMs, { code: 'SENDGRID_LOCKED', blame: 'remote', cause: error });
  }
}
