import { sql } from 'kysely';
import { canonicalAddress } from '#shared/lifecycle/address.js';
import type { ApiKey, RegisteredKey } from '#shared/lifecycle/types.js';
import type { Db } from './database.js';

// SendGrid tells neither who made a key nor when (sendgrid.md §1.2). Here stands who owns which, and since when Sendoff
// has known of it.

/** Notes keys that an account has. @param whole these are all of them: those it has no longer are marked as gone */
export async function noteKeys(db: Db, account: string, keys: ApiKey[], whole: boolean): Promise<void> {
  if (keys.length > 0) {
    await db
      .insertInto('api_key')
      .values(
        keys.map(({ subuser, id, name }) => ({
          account,
          subuser: subuser ?? '',
          key_id: id,
          name,
          owner: null,
          on_leave: null,
          registered_by: null,
        })),
      )
      .onConflict((conflict) =>
        conflict
          .columns(['account', 'subuser', 'key_id'])
          .doUpdateSet({ name: sql<string>`excluded.name`, gone_at: null })
          .where((eb) =>
            eb.or([eb('api_key.name', '!=', sql<string>`excluded.name`), eb('api_key.gone_at', 'is not', null)]),
          ),
      )
      .execute();
  }
  if (!whole) return;
  const present = keys.map(({ subuser, id }) => `${subuser ?? ''}\n${id}`);
  await db
    .updateTable('api_key')
    .set({ gone_at: sql<Date>`now()` })
    .where('account', '=', account)
    .where('gone_at', 'is', null)
    .where(sql<string>`subuser || chr(10) || key_id`, '!=', sql<string>`all(${present}::text[])`)
    .execute();
}

/** Makes somebody the owner of a key; an entry that exists is overwritten. */
export async function registerKey(
  db: Db,
  key: ApiKey & { account: string; owner: string; onLeave: 'revoke' | 'successor' | null; by: string },
): Promise<void> {
  const entry = {
    name: key.name,
    owner: canonicalAddress(key.owner),
    on_leave: key.onLeave,
    registered_by: key.by,
    registered_at: sql<Date>`now()`,
    gone_at: null,
  };
  await db
    .insertInto('api_key')
    .values({ account: key.account, subuser: key.subuser ?? '', key_id: key.id, ...entry })
    .onConflict((conflict) => conflict.columns(['account', 'subuser', 'key_id']).doUpdateSet(entry))
    .execute();
}

/** Gives a key another owner. @returns false when the register does not know the key */
export async function changeKeyOwner(
  db: Db,
  { account, subuser, id }: Pick<RegisteredKey, 'account' | 'subuser' | 'id'>,
  owner: string,
): Promise<boolean> {
  const result = await db
    .updateTable('api_key')
    .set({ owner: canonicalAddress(owner), registered_at: sql<Date>`now()` })
    .where('account', '=', account)
    .where('subuser', '=', subuser ?? '')
    .where('key_id', '=', id)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

/** The owner goes by another address now. */
export async function renameKeyOwner(db: Db, left: string[], now: string): Promise<void> {
  await db
    .updateTable('api_key')
    .set({ owner: canonicalAddress(now) })
    .where('owner', 'in', left)
    .execute();
}

export async function keyOwner(
  db: Db,
  { account, subuser, id }: Pick<RegisteredKey, 'account' | 'subuser' | 'id'>,
): Promise<string | null> {
  const row = await db
    .selectFrom('api_key')
    .select('owner')
    .where('account', '=', account)
    .where('subuser', '=', subuser ?? '')
    .where('key_id', '=', id)
    .executeTakeFirst();
  return row?.owner ?? null;
}

/** Keys that have an owner. */
export async function registeredKeys(db: Db, accounts: string[]): Promise<RegisteredKey[]> {
  if (accounts.length === 0) return [];
  const rows = await db
    .selectFrom('api_key')
    .selectAll()
    .where('account', 'in', accounts)
    .where('owner', 'is not', null)
    .where('gone_at', 'is', null)
    .execute();
  return rows.map((row) => ({
    account: row.account,
    subuser: row.subuser === '' ? null : row.subuser,
    id: row.key_id,
    name: row.name,
    owner: row.owner ?? '',
    onLeave: row.on_leave,
  }));
}

/** One key as `keys list` and the API show it. */
export interface KeyItem {
  account: string;
  subuser: string | null;
  id: string;
  name: string;
  state: 'registered' | 'unattributed' | 'gone';
  owner: string | null;
  onLeave: 'revoke' | 'successor' | null;
  /** Since when Sendoff has known of it; SendGrid tells no age. */
  firstSeenAt: string;
}

export interface KeyFilter {
  account?: string | undefined;
  unattributed?: boolean | undefined;
  /** Lower-case. */
  owner?: string | undefined;
}

/** By account, subuser and name. @param page default: all of them */
export async function listKeys(
  db: Db,
  filter: KeyFilter,
  page?: { limit: number; offset: number },
): Promise<KeyItem[]> {
  const rows = await db
    .selectFrom('api_key')
    .selectAll()
    .$if(filter.account !== undefined, (qb) => qb.where('account', '=', filter.account as string))
    .$if(filter.unattributed === true, (qb) => qb.where('owner', 'is', null).where('gone_at', 'is', null))
    .$if(filter.owner !== undefined, (qb) => qb.where('owner', '=', filter.owner as string))
    .orderBy('account')
    .orderBy('subuser')
    .orderBy('name')
    .orderBy('key_id')
    .$if(page !== undefined, (qb) => qb.limit(page?.limit ?? 0).offset(page?.offset ?? 0))
    .execute();
  return rows.map((row) => ({
    account: row.account,
    subuser: row.subuser === '' ? null : row.subuser,
    id: row.key_id,
    name: row.name,
    state: row.gone_at !== null ? 'gone' : row.owner === null ? 'unattributed' : 'registered',
    owner: row.owner,
    onLeave: row.on_leave,
    firstSeenAt: row.first_seen_at.toISOString(),
  }));
}
