import { scopesOf } from '#shared/lifecycle/persona.js';
import { holdsAccess, missingScopes } from '#shared/lifecycle/rules/grants.js';
import { implicitScopes } from '#shared/lifecycle/scopes.js';
import type { Access, Persona, Snapshot } from '#shared/lifecycle/types.js';
import { setAccess } from '#shared/sendgrid/teammates.js';
import { appliedAccess } from '#shared/store/actions.js';
import type { Db } from '#shared/store/database.js';
import type { DraftOf, Effect } from './action.js';
import { type SightedTeammate, sightTeammate } from './sight-teammate.js';

/** Wanted: this teammate has exactly this access. For `restrict`, `restore` and `rescope`. */
export const setTeammateAccess: Effect<DraftOf<'restrict' | 'restore' | 'rescope'>, SightedTeammate> = {
  async look({ sendgrid, db }, draft, before) {
    const sighting = await sightTeammate(sendgrid, draft, { subusers: true });
    // Somebody who is gone has no access: that is more than a restriction asks, and nothing a restoration can mend.
    if (sighting === null) return { kind: 'as-wanted', seen: null };
    if (sighting.kind === 'refused') return sighting;
    const { access } = sighting.found;
    const left = missingScopes(access, draft.wanted);
    if (holdsAccess(access, draft.wanted)) {
      return { kind: 'as-wanted', seen: draft.kind === 'rescope' ? access : draft.wanted };
    }
    if (draft.kind === 'rescope' && draft.persona !== null && (await isWhatItMeans(db, draft, access, before))) {
      return { kind: 'as-wanted', seen: access, note: meaningOf(draft.persona, left) };
    }
    return left.length === 0 ? sighting : { ...sighting, lacks: `without ${left.join(', ')}` };
  },
  async act({ sendgrid }, draft, { teammate }) {
    const persona = draft.kind === 'rescope' ? draft.persona : null;
    // The SSO endpoints don't know subusers (sendgrid.md §2): there, everybody is changed as a password teammate is.
    const mate = draft.subuser === null ? teammate : { ...teammate, sso: false };
    await setAccess(sendgrid, mate, draft.wanted, persona);
  },
};

/**
 * What a persona stands for differs by plan (sendgrid.md §6.1, §6.4): a changed answer to it is what it means here, and so
 * is what somebody has who was made with it, or what SendGrid showed when another plan had just asked for it.
 */
export async function isWhatItMeans(
  db: Db,
  { account, target, persona }: { account: string; target: string; persona: Persona | null },
  access: Access,
  before: Snapshot | null | undefined,
): Promise<boolean> {
  if (tookEffect(access, before) || (before !== undefined && isMostOf(access, persona))) return true;
  const [last] = await appliedAccess(db, [{ account, username: target }]);
  return last !== undefined && last.persona === persona && holdsAccess(access, last.shown);
}

/** Unchanged by what SendGrid accepted: most of the persona and nothing else is what it stands for on this plan. */
function isMostOf(access: Access, persona: Persona | null): boolean {
  if (persona === null || access.admin || access.subusers !== null) return false;
  const documented = new Set(scopesOf(persona));
  const within = access.scopes.filter((scope) => documented.has(scope) || implicitScopes.has(scope));
  return within.length === access.scopes.length && within.length * 2 >= documented.size;
}

function tookEffect(access: Access, before: Snapshot | null | undefined): boolean {
  if (before === undefined || before === null) return false;
  const isNew = !('admin' in before);
  return !access.admin && access.subusers === null && (isNew || !holdsAccess(access, before));
}

export function meaningOf(persona: Persona, missing: string[]): string {
  return `${persona} means here: without ${missing.join(', ') || 'nothing'}`;
}
