import { fillTemplate } from '../address.js';
import type { Situation } from '../situation.js';
import type { Access, AccountPolicy, ActionDraft, DirectoryPerson, Guard, Policy, Roster, Teammate } from '../types.js';
import type { Footprints } from './footprints.js';
import { type Granted, holdsRole, type WantedAccess, wantedAccess } from './grants.js';
import { teammateTarget } from './offboard.js';

export interface RoleActions {
  actions: ActionDraft[];
  refused: Guard[];
}

const nothing: RoleActions = { actions: [], refused: [] };

/**
 * Brings an active person to the role that their groups grant, and their name to what the directory says.
 * @param replaced teammates of theirs whose place another takes
 */
export function roleActions(
  situation: Situation,
  roster: Roster,
  account: AccountPolicy,
  policy: Policy,
  { places }: Footprints,
  granted: Granted | null,
  replaced: ReadonlySet<string>,
): RoleActions {
  const { evidence } = situation;
  if (evidence.kind !== 'found') return nothing;
  const parent = places.find((place) => place.subuser === null);
  const mates = (parent?.teammates ?? []).filter(({ username }) => !replaced.has(username));
  if (granted === null)
    return { actions: mates.flatMap((mate) => renames(mate, evidence.person, account, policy)), refused: [] };

  const guard = (rule: Guard['rule'], target: string | null, detail: string): Guard => {
    return { rule, account: account.name, target, detail };
  };
  const joins = places.length === 0 && policy.provisioning.create && evidence.person.emails.length > 0;
  const wanted = wantedAccess(granted.role, roster, { sso: account.sso });
  if (wanted.kind === 'unknown-subusers') {
    // Unread is not absent: the plan waits for them.
    if (roster.unread.some(({ part }) => part === 'subusers') || (mates.length === 0 && !joins)) return nothing;
    const detail = `role ${granted.name} names subusers that are not there: ${wanted.names.join(', ')}`;
    return { actions: [], refused: [guard('role', null, detail)] };
  }
  const confines = `role ${granted.name} confines to subusers, which SendGrid can do for SSO teammates only`;
  const reason = `Their groups grant the role ${granted.name}`;
  if (joins && wanted.access.subusers !== null && !account.sso) {
    return { actions: [], refused: [guard('unsupported', null, confines)] };
  }
  if (joins) return { actions: [joiner(evidence.person, account, wanted, reason)], refused: [] };
  const result: RoleActions = { actions: [], refused: [] };
  for (const mate of mates.filter(({ userType }) => userType !== 'owner')) {
    if (holdsGranted(situation, roster, policy, mate, granted)) {
      result.actions.push(...renames(mate, evidence.person, account, policy));
    } else if (wanted.access.subusers !== null && !mate.sso) {
      result.refused.push(guard('unsupported', mate.username, confines));
    } else {
      const here = wantedAccess(granted.role, roster, mate);
      if (here.kind !== 'known') continue;
      result.actions.push({
        kind: 'rescope',
        wanted: here.access,
        persona: here.persona,
        role: granted.name,
        ...teammateTarget(account.name, { subuser: null }, mate, reason),
      });
    }
  }
  return result;
}

/** As far as is known: what could not be read is left alone. */
function holdsGranted(
  situation: Situation,
  roster: Roster,
  policy: Policy,
  mate: Teammate,
  { role }: Granted,
): boolean {
  const known = knownAccess(situation, roster.account, mate);
  const applied = situation.applied.find((one) => one.account === roster.account && one.username === mate.username);
  return !policy.provisioning.rescope || known === null || holdsRole(known, role, roster, mate, applied ?? null);
}

/** What was read of what they may do in the parent; null: nothing was. */
export function knownAccess({ known }: Situation, account: string, { username }: Teammate): Access | null {
  const found = known.find((k) => k.account === account && k.subuser === null && k.username === username);
  return found?.access ?? null;
}

function joiner(
  person: DirectoryPerson,
  account: AccountPolicy,
  { access, persona }: Extract<WantedAccess, { kind: 'known' }>,
  reason: string,
): ActionDraft {
  const email = fillTemplate(account.identity, person.emails[0] ?? '');
  return {
    kind: 'provision',
    footprint: 'teammate',
    account: account.name,
    subuser: null,
    target: email,
    email,
    admin: false,
    reason,
    sso: account.sso,
    firstName: person.firstName,
    lastName: person.lastName,
    wanted: access,
    persona,
    recordId: null,
    replaces: null,
  };
}

/** SSO teammates' names follow the directory; those of others are their own affair (sendgrid.md §3, §4). */
function renames(
  mate: Teammate,
  person: DirectoryPerson,
  account: AccountPolicy,
  { provisioning }: Policy,
): ActionDraft[] {
  const { firstName, lastName } = person;
  const differs =
    firstName !== null && lastName !== null && (mate.firstName !== firstName || mate.lastName !== lastName);
  if (!provisioning.rename || !mate.sso || mate.userType === 'owner' || !differs) return [];
  const target = teammateTarget(account.name, { subuser: null }, mate, 'The directory gives another name');
  return [{ kind: 'rename', firstName, lastName, ...target }];
}
