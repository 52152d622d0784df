import type { AuditLine, Disclosure, HashedPart, PersonalPart } from './record.js';

/** A record in its place, as the database keeps it. */
export interface PlacedRecord {
  seq: number;
  hashed: HashedPart;
  /** null: there was none, or it was erased. */
  personal: Disclosure | null;
  prevHash: Buffer;
  hash: Buffer;
}

/** Puts a line together. The order of its keys is part of the format: verification compares the text. */
export function toLine({ seq, hashed, personal, prevHash, hash }: PlacedRecord): AuditLine {
  const { email, target, more } = personal?.data ?? {};
  return {
    seq,
    id: hashed.id,
    at: hashed.at,
    kind: hashed.kind,
    account: hashed.account,
    person: hashed.person === null ? null : { id: hashed.person.id, ...(email === undefined ? {} : { email }) },
    action:
      hashed.action === null
        ? null
        : {
            id: hashed.action.id,
            kind: hashed.action.kind,
            footprint: hashed.action.footprint,
            ...(hashed.action.subuser === undefined ? {} : { subuser: hashed.action.subuser }),
            ...(target === undefined ? {} : { target }),
          },
    before: hashed.before,
    after: hashed.after,
    cause: hashed.cause,
    actor: hashed.actor,
    detail: hashed.detail,
    ...(more === undefined ? {} : { personal: more }),
    commit: hashed.commit,
    ...(personal === null ? {} : { salt: personal.salt.toString('hex') }),
    prevHash: prevHash.toString('hex'),
    hash: hash.toString('hex'),
  };
}

/** Takes a line apart again. What a line holds beyond these parts is lost, and so shows when it is put together anew. */
export function fromLine(line: AuditLine): PlacedRecord {
  const { seq, id, at, kind, account, person, action, before, after, cause, actor, detail, commit } = line;
  return {
    seq,
    hashed: {
      id,
      at,
      kind,
      account,
      person: person === null ? null : { id: person.id },
      action: action === null ? null : actionOf(action),
      before,
      after,
      cause,
      actor,
      detail,
      commit,
    },
    personal: line.salt === undefined ? null : { salt: Buffer.from(line.salt, 'hex'), data: shown(line) },
    prevHash: Buffer.from(line.prevHash, 'hex'),
    hash: Buffer.from(line.hash, 'hex'),
  };
}

function actionOf({ id, kind, footprint, subuser }: NonNullable<AuditLine['action']>): HashedPart['action'] {
  return { id, kind, footprint, ...(subuser === undefined ? {} : { subuser }) };
}

/** The personal data that a line shows. */
export function shown({ person, action, personal }: AuditLine): PersonalPart {
  return {
    ...(person?.email === undefined ? {} : { email: person.email }),
    ...(action?.target === undefined ? {} : { target: action.target }),
    ...(personal === undefined ? {} : { more: personal }),
  };
}
