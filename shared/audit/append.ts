import { randomBytes, randomUUID } from 'node:crypto';
import { sql, type Transaction } from 'kysely';
import { type Clock, systemClock } from '#shared/clock.js';
import { SendoffError } from '#shared/errors.js';
import type { Db } from '#shared/store/database.js';
import type { Schema } from '#shared/store/schema.js';
import { canonical, commitTo, saltBytes } from './hashes.js';
import type { AuditInput, HashedPart, PersonalPart } from './record.js';

/** What a credential looks like, and a sentence about bearer authentication does not. */
const credential =
  /\bSG\.[\w-]{10,}\.[\w-]{10,}|\b(SSWS|Bearer) (?=\S*\d|\S{20})[\w.~+/-]{10,}|-----BEGIN [A-Z ]*PRIVATE KEY/;

/**
 * Writes audit records: the only way to do so. Inside the transaction of what they record, so that there is neither
 * the one without the other. They get their place in the chain later (sequence.ts), so writers never wait for each other.
 * @throws SendoffError AUDIT_CREDENTIAL, AUDIT_NOT_JSON; before anything is sent to the database
 */
export async function appendAudit(
  db: Transaction<Schema> | Db,
  input: AuditInput | AuditInput[],
  clock: Clock = systemClock,
): Promise<void> {
  const records = (Array.isArray(input) ? input : [input]).map((one) => prepare(one, clock.now()));
  if (records.length === 0) return;
  const named = records.flatMap(({ hashed, personal }) => (personal === null ? [] : [{ id: hashed.id, ...personal }]));
  // One statement: one round trip while a hook waits for its answer, and whole even outside a transaction.
  await sql`
    with entry as (
      insert into audit_entry (id, at, canonical)
      select * from unnest(${records.map((r) => r.hashed.id)}::uuid[], ${records.map((r) => r.hashed.at)}::timestamptz[],
        ${records.map((r) => r.text)}::text[])
    ), pending as (
      insert into audit_pending (entry_id) select unnest(${records.map((r) => r.hashed.id)}::uuid[])
    )
    insert into audit_personal (entry_id, person_id, salt, data)
    select * from unnest(${named.map((n) => n.id)}::uuid[], ${named.map((n) => n.personId)}::uuid[],
      ${named.map((n) => n.salt)}::bytea[], ${named.map((n) => n.data)}::text[])`.execute(db);
}

function withoutTarget({ target: _, ...rest }: NonNullable<AuditInput['action']>): HashedPart['action'] {
  return rest;
}

function prepare(input: AuditInput, now: Date) {
  const personal: PersonalPart = {
    ...(input.person?.email ? { email: input.person.email } : {}),
    ...(input.action ? { target: input.action.target } : {}),
    ...(input.personal && Object.keys(input.personal).length > 0 ? { more: input.personal } : {}),
  };
  const salt = Object.keys(personal).length > 0 ? randomBytes(saltBytes) : null;
  const hashed: HashedPart = {
    id: randomUUID(),
    at: now.toISOString(),
    kind: input.kind,
    account: input.account ?? null,
    person: input.person ? { id: input.person.id } : null,
    action: input.action ? withoutTarget(input.action) : null,
    before: input.before ?? null,
    after: input.after ?? null,
    cause: input.cause ?? null,
    actor: input.actor,
    detail: input.detail ?? null,
    commit: salt === null ? null : commitTo(personal, salt),
  };
  const text = canonical(hashed);
  const data = canonical(personal);
  if (credential.test(text) || credential.test(data)) {
    throw new SendoffError('something that looks like a credential was about to be written to the audit trail', {
      code: 'AUDIT_CREDENTIAL',
      blame: 'bug',
      facts: { kind: input.kind },
    });
  }
  return { hashed, text, personal: salt === null ? null : { personId: input.person?.id ?? null, salt, data } };
}
