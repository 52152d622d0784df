import { sql, type Transaction } from 'kysely';
import type { ActionDraft, Removed, Restriction } from '#shared/lifecycle/types.js';
import type { Db } from './database.js';
import type { RestoreRecord, Schema } from './schema.js';

type Tx = Transaction<Schema>;

/** What was taken can be given back for so long. */
export const keptDays = 30;

/** Keeps what the teammate had. While a restriction is in force its first record stays: later ones show what it left. */
export async function keepRestoreRecord(
  tx: Tx,
  action: { id: string; personId: string; draft: ActionDraft },
  record: RestoreRecord,
): Promise<void> {
  const { kind, account, target } = action.draft;
  if (kind !== 'restrict' && kind !== 'deprovision') return;
  const subuser = action.draft.subuser ?? '';
  const restricted = await tx
    .selectFrom('restore_record')
    .select('record')
    .where('person_id', '=', action.personId)
    .where('account', '=', account)
    .where('subuser', '=', subuser)
    .where('username', '=', target)
    .where('kind', '=', 'restrict')
    .where('closed_at', 'is', null)
    .executeTakeFirst();
  if (kind === 'restrict' && restricted !== undefined) return;
  // Who is deleted after a restriction gets back what they had before it.
  const whole = restricted === undefined ? record : { ...record, ...restricted.record };
  await tx
    .insertInto('restore_record')
    .values({
      person_id: action.personId,
      action_id: action.id,
      account,
      subuser,
      username: target,
      kind,
      record: JSON.stringify(whole),
    })
    .onConflict((conflict) => conflict.column('action_id').doNothing())
    .execute();
}

/** A restriction is over: the access was given back, or the teammate is gone. */
export async function closeRestrictions(
  tx: Tx,
  personId: string,
  { account, subuser, target }: Pick<ActionDraft, 'account' | 'subuser' | 'target'>,
): Promise<void> {
  await tx
    .updateTable('restore_record')
    .set({ closed_at: sql<Date>`now()` })
    .where('person_id', '=', personId)
    .where('account', '=', account)
    .where('subuser', '=', subuser ?? '')
    .where('username', '=', target)
    .where('kind', '=', 'restrict')
    .where('closed_at', 'is', null)
    .execute();
}

/** What was deleted is there again. */
export async function closeRecord(tx: Tx, id: string): Promise<void> {
  await tx.updateTable('restore_record').set({ closed_at: sql<Date>`now()` }).where('id', '=', id).execute();
}

export async function openRestrictions(db: Db, personId: string): Promise<Restriction[]> {
  const rows = await db
    .selectFrom('restore_record')
    .select(['account', 'subuser', 'username', 'record'])
    .where('person_id', '=', personId)
    .where('kind', '=', 'restrict')
    .where('closed_at', 'is', null)
    .execute();
  return rows.map(({ account, subuser, username, record }) => ({
    account,
    subuser: subuser === '' ? null : subuser,
    username,
    before: record.access,
  }));
}

/** What was deleted of a person within the last `keptDays` and has not been brought back; the newest of each place. */
export async function removedAccess(db: Db, personIds: string[]): Promise<Removed[]> {
  if (personIds.length === 0) return [];
  const rows = await db
    .selectFrom('restore_record')
    .distinctOn(['account', 'subuser', 'username'])
    .select(['id', 'account', 'subuser', 'record'])
    .where('person_id', 'in', personIds)
    .where('kind', '=', 'deprovision')
    .where('closed_at', 'is', null)
    .where('created_at', '>', sql<Date>`now() - make_interval(days => ${keptDays})`)
    .orderBy('account')
    .orderBy('subuser')
    .orderBy('username')
    .orderBy('created_at', 'desc')
    .execute();
  return rows.map(({ id, account, subuser, record: { email, firstName, lastName, sso, access, subusersRead } }) => ({
    recordId: id,
    account,
    subuser: subuser === '' ? null : subuser,
    email,
    firstName,
    lastName,
    sso,
    access,
    accessRead: access.admin || !sso || subuser !== '' || subusersRead,
  }));
}

/** Forgets deletions that can't be undone any longer. @returns how many */
export async function dropOldRecords(db: Db): Promise<number> {
  const result = await db
    .deleteFrom('restore_record')
    .where('created_at', '<', sql<Date>`now() - make_interval(days => ${keptDays})`)
    .where((eb) => eb.or([eb('kind', '=', 'deprovision'), eb('closed_at', 'is not', null)]))
    .executeTakeFirst();
  return Number(result.numDeletedRows);
}

/** Where in an account somebody is restricted by Sendoff. */
export async function openRestrictedPlaces(
  db: Db,
  account: string,
): Promise<{ subuser: string | null; username: string }[]> {
  const rows = await db
    .selectFrom('restore_record')
    .select(['subuser', 'username'])
    .where('account', '=', account)
    .where('kind', '=', 'restrict')
    .where('closed_at', 'is', null)
    .execute();
  return rows.map(({ subuser, username }) => ({ subuser: subuser === '' ? null : subuser, username }));
}
