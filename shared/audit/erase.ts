import type { Db } from '#shared/store/database.js';
import { appendAudit } from './append.js';

/** Forgets who a person's records were about. The chain stays whole: it only ever held commitments. @returns how many */
export async function erasePersonal(db: Db, personId: string, actor: string): Promise<number> {
  return db.transaction().execute(async (tx) => {
    const result = await tx.deleteFrom('audit_personal').where('person_id', '=', personId).executeTakeFirst();
    await appendAudit(tx, { kind: 'person.erased', person: { id: personId, email: null }, actor });
    return Number(result.numDeletedRows);
  });
}
