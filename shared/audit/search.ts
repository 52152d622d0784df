import { type RawBuilder, sql } from 'kysely';
import type { Db } from '#shared/store/database.js';
import { type ListPage, readTimedCursor, timedCursor } from '#shared/store/lists.js';
import type { HashedPart, PersonalPart } from './record.js';

/** Which records are meant. Every field narrows. */
export interface AuditFilter {
  kind?: string | undefined;
  account?: string | undefined;
  actor?: string | undefined;
  personId?: string | undefined;
  /** Lower-case. */
  email?: string | undefined;
  since?: Date | undefined;
  until?: Date | undefined;
}

/** One record as searches show it. An export, and not this, is evidence. */
export interface AuditItem {
  id: string;
  /** Its place in the chain; null for about a second after it was written. */
  seq: number | null;
  at: string;
  kind: string;
  account: string | null;
  person: { id: string | null; email: string | null } | null;
  action: { id: string; kind: string; footprint: string; subuser: string | null; target: string | null } | null;
  before: Record<string, unknown> | null;
  after: Record<string, unknown> | null;
  cause: { source: string; eventIds: string[]; plan: string | null } | null;
  actor: string;
  detail: Record<string, unknown> | null;
  personal: Record<string, string> | null;
  /** Personal data was erased. */
  erased: boolean;
}

/** Newest first; the cursor is time and id. */
export async function searchAudit(
  db: Db,
  filter: AuditFilter,
  { limit, before }: { limit: number; before?: string | undefined },
): Promise<ListPage<AuditItem>> {
  const conditions = conditionsOf(filter);
  if (before !== undefined) {
    const { at, id } = readTimedCursor(before);
    conditions.push(sql`(entry.at, entry.id) < (${at}::timestamptz, ${id}::uuid)`);
  }
  const { rows } = await sql<Row>`
    select entry.id, entry.at::text as cursor, entry.at, entry.canonical, personal.data, chain.seq
    from audit_entry as entry
    left join audit_personal as personal on personal.entry_id = entry.id
    left join audit_chain as chain on chain.entry_id = entry.id
    where ${conditions.length === 0 ? sql`true` : sql.join(conditions, sql` and `)}
    order by entry.at desc, entry.id desc limit ${limit + 1}`.execute(db);
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return { items: page.map(toItem), next: rows.length > limit && last ? timedCursor(last) : null };
}

function conditionsOf({ kind, account, actor, personId, email, since, until }: AuditFilter): RawBuilder<unknown>[] {
  return [
    ...(kind === undefined ? [] : [sql`entry.kind = ${kind}`]),
    ...(account === undefined ? [] : [sql`entry.account = ${account}`]),
    ...(actor === undefined ? [] : [sql`entry.actor = ${actor}`]),
    ...(personId === undefined
      ? []
      : [sql`entry.id in (select entry_id from audit_personal where person_id = ${personId}::uuid)`]),
    // Orders name an address before anybody knows the person; what was done later names the person.
    ...(email === undefined
      ? []
      : [
          sql`entry.id in (
            select entry_id from audit_personal where lower(data::jsonb ->> 'email') = ${email}
            union select entry_id from audit_personal join person on person.id = audit_personal.person_id
              where person.emails @> array[${email}]::text[])`,
        ]),
    ...(since === undefined ? [] : [sql`entry.at >= ${since}`]),
    ...(until === undefined ? [] : [sql`entry.at <= ${until}`]),
  ];
}

interface Row {
  id: string;
  cursor: string;
  at: Date;
  canonical: string;
  data: string | null;
  seq: string | null;
}

function toItem({ id, at, canonical, data, seq }: Row): AuditItem {
  const hashed = JSON.parse(canonical) as HashedPart;
  const personal = data === null ? null : (JSON.parse(data) as PersonalPart);
  const { action, person } = hashed;
  return {
    id,
    seq: seq === null ? null : Number(seq),
    at: at.toISOString(),
    kind: hashed.kind,
    account: hashed.account,
    person: person === null ? null : { id: person.id, email: personal?.email ?? null },
    action: action === null ? null : { ...action, subuser: action.subuser ?? null, target: personal?.target ?? null },
    before: hashed.before,
    after: hashed.after,
    cause: hashed.cause,
    actor: hashed.actor,
    detail: hashed.detail,
    personal: personal?.more ?? null,
    erased: hashed.commit !== null && personal === null,
  };
}
