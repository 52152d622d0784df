import { messageOf, WaitError } from '#shared/errors.js';
import { inTurns } from '#shared/in-turns.js';
import type { BelongingKind } from '#shared/lifecycle/belonging.js';
import type { ApiKey, Roster, SubuserRoster, Unread } from '#shared/lifecycle/types.js';
import { listApiKeys } from './api-keys.js';
import { belongingNouns } from './belongings/index.js';
import type { SendGridClient } from './client.js';
import { SendGridRefused } from './errors.js';
import { inSubuser } from './in-subuser.js';
import { listInvitations } from './invitations.js';
import { listSubusers } from './subusers.js';
import { listTeammates } from './teammates.js';

// The parts of a roster beside the parent's own teammates and invitations. A part that can't be read is said to be
// unread, each by itself: it never hides the rest, and never reads as empty.

/** With more subusers than this, what carries addresses is not looked for inside them: seven lists for each would be. */
const subusersWithBelongings = 25;
const retryMs = 30_000;
/** So many lists are read at once; the client's other slots are for those who act. */
const placesAtOnce = 3;

/** What a reading gave: items, and what of it could not be read. */
export interface PartRead<T> {
  items: T;
  unread: Unread[];
}

export type SubuserPart = PartRead<{ swept: SubuserRoster[]; ids: { id: number; name: string }[] }>;

/** Is a subuser of this name to be looked into? */
type Sweep = 'all' | 'none' | string[];

/** Every subuser's teammates and invitations, each subuser listed once (sendgrid.md §7). */
export async function readSubusers(client: SendGridClient, sweep: Sweep): Promise<SubuserPart> {
  const all = await listSubusers(client);
  const ids = all.map(({ id, username }) => ({ id, name: username }));
  const wanted = sweep === 'none' ? [] : all.filter(({ username }) => sweep === 'all' || sweep.includes(username));
  const unread: Unread[] = [];
  const swept: SubuserRoster[] = [];
  await inTurns(wanted, placesAtOnce, async ({ id, username: name, email }) => {
    try {
      const inside = inSubuser(client, name);
      const teammates = await listTeammates(inside);
      const invitations = await listInvitations(inside);
      swept.push({ id, name, email, teammates, invitations: invitations.map(({ token: _, ...rest }) => rest) });
    } catch (error) {
      unread.push(unreadPart(client.account, `subuser ${name}`, error));
    }
  });
  if (Array.isArray(sweep)) {
    const known = new Set(ids.map(({ name }) => name));
    for (const name of sweep.filter((one) => !known.has(one))) {
      const reason = 'the account has no subuser of this name; mend accounts.*.subusers in the configuration';
      unread.push({ account: client.account, part: `subuser ${name}`, reason, retryMs: null });
    }
  }
  return { items: { swept, ids }, unread };
}

/** Everything that carries addresses, of these kinds, in the parent and in its subusers (sendgrid.md §8). */
export async function readBelongings(
  client: SendGridClient,
  kinds: BelongingKind[],
  subusers: string[],
): Promise<PartRead<Roster['belongings']>> {
  const items: Roster['belongings'] = [];
  const unread: Unread[] = [];
  const places = [null, ...(subusers.length > subusersWithBelongings ? [] : subusers)];
  if (subusers.length > subusersWithBelongings && kinds.length > 0) {
    const reason = `${subusers.length} subusers are too many to look for it in each; look into those that matter by hand`;
    unread.push({ account: client.account, part: 'senders, alerts and forwarding of subusers', reason, retryMs: null });
  }
  const lists = places.flatMap((subuser) => kinds.map((kind) => ({ subuser, kind })));
  await inTurns(lists, placesAtOnce, async ({ subuser, kind }) => {
    const where = subuser === null ? client : inSubuser(client, subuser);
    try {
      items.push(...(await belongingNouns[kind].list(where)).map((one) => ({ ...one, subuser })));
    } catch (error) {
      unread.push(unreadPart(client.account, subuser === null ? kind : `${kind} of subuser ${subuser}`, error));
    }
  });
  return { items, unread };
}

/** The API keys of the parent and of its subusers. */
export async function readKeys(client: SendGridClient, subusers: string[]): Promise<PartRead<ApiKey[]>> {
  const items: ApiKey[] = [];
  const unread: Unread[] = [];
  await Promise.all(
    [null, ...subusers].map(async (subuser) => {
      const where = subuser === null ? client : inSubuser(client, subuser);
      try {
        items.push(...(await listApiKeys(where)).map((key) => ({ ...key, subuser })));
      } catch (error) {
        unread.push(
          unreadPart(client.account, subuser === null ? 'api keys' : `api keys of subuser ${subuser}`, error),
        );
      }
    }),
  );
  return { items, unread };
}

/** What an error says about a part: try again, or know that it stays unread. */
export function unreadPart(account: string, part: string | null, error: unknown): Unread {
  const refused = error instanceof SendGridRefused;
  const wait = error instanceof WaitError ? error.delayMs : retryMs;
  return { account, part, reason: messageOf(error), retryMs: refused ? null : wait };
}

/** Nobody but the parent's own people: for accounts whose subusers are not asked after. */
export function withoutSubusers(): SubuserPart {
  return { items: { swept: [], ids: [] }, unread: [] };
}
