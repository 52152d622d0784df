import { isReadOnly } from '../access.js';
import { addressesIn, canonicalAddress, fillTemplate } from '../address.js';
import type { Situation } from '../situation.js';
import type {
  Access,
  AccountPolicy,
  ActionDraft,
  DirectoryPerson,
  Guard,
  Persona,
  Policy,
  Roster,
  Teammate,
} from '../types.js';
import type { Footprints } from './footprints.js';
import { type Granted, holdsAccess, wantedAccess } from './grants.js';
import { teammateTarget } from './offboard.js';
import { knownAccess } from './roles.js';
import { refusal } from './untouchable.js';

// An SSO teammate's address is their username and can never change (sendgrid.md §4): a rename in the directory is another
// teammate with the same access. The old one goes only when the new one was seen to have it.

export interface Readdressing {
  actions: ActionDraft[];
  refused: Guard[];
  /** What the operator should read beside the plan. */
  notes: string[];
  /** Usernames whose place another takes: nothing else is to become of them. */
  replaced: ReadonlySet<string>;
}

/** Is this SSO teammate, who is the person's by their tie, under an address that is none of the person's any more? */
export function isOutdated(mate: Teammate, { identity }: Pick<AccountPolicy, 'identity'>, emails: string[]): boolean {
  if (!mate.sso || mate.userType === 'owner' || emails.length === 0) return false;
  return !addressesIn(identity, emails).has(canonicalAddress(mate.email));
}

/** Gives an active person whose address changed a teammate under the new one, and retires the old one after that. */
export function readdressActions(
  situation: Situation,
  roster: Roster,
  account: AccountPolicy,
  policy: Policy,
  { places }: Footprints,
  granted: Granted | null,
): Readdressing {
  const { evidence, person } = situation;
  const mates = places.find((place) => place.subuser === null)?.teammates ?? [];
  const outdated = mates.filter((mate) => isOutdated(mate, account, person.emails));
  if (evidence.kind !== 'found' || outdated.length === 0) return nothing();
  const changed = `In ${account.name}: drift. They are a teammate under an address that the directory no longer gives them`;
  if (!policy.provisioning.rename) return nothing({ notes: [`${changed}, and provisioning.rename is off`] });

  const to = fillTemplate(account.identity, evidence.person.emails[0] ?? '');
  const current = mates.filter((mate) => !outdated.includes(mate));
  const heir = current.find(({ email }) => canonicalAddress(email) === canonicalAddress(to)) ?? current[0] ?? null;
  const access = accessFor(situation, roster, policy, outdated, heir, granted);
  if (access === null) return nothing();
  const refuse = (rule: Guard['rule'], detail: string): Readdressing =>
    nothing({ refused: outdated.map(({ username }) => ({ rule, account: account.name, target: username, detail })) });
  if ('doubt' in access) return refuse('ambiguous', access.doubt);
  if (heir === null && !account.sso) {
    return refuse('unsupported', `their address changed, and accounts.${account.name}.sso is off: invite them anew`);
  }
  if (heir?.sso === false) {
    return refuse('unsupported', 'their address changed, and a password teammate bears the new one');
  }
  if (situation.sharedAddresses.includes(canonicalAddress(evidence.person.emails[0] ?? ''))) {
    return refuse('ambiguous', 'their address changed, and the directory has the new one under two ids');
  }

  const reason = 'Their address changed, which SendGrid can’t do for an SSO teammate';
  const { wanted, persona, isMade } = access;
  const retired = outdated.map((mate): ActionDraft => {
    const target = teammateTarget(account.name, { subuser: null }, mate, `${reason}; they are in under the new one`);
    return { kind: 'retire', heir: heir?.username ?? to, wanted, persona, ...target };
  });
  // Nobody gets a second teammate while the first may not be touched.
  const [guard] = retired.map((action) => refusal(action, person, roster, policy)).filter((one) => one !== null);
  if (guard !== undefined) return nothing({ notes: [`${changed}, and are not touched: ${guard.detail}`] });
  const made = isMade
    ? [newcomer(evidence.person, account, outdated[0], heir?.email ?? to, { wanted, persona, reason })]
    : [];
  return {
    actions: [...made, ...retired],
    refused: [],
    notes: [`${changed}: they get one under the new address, and the old one goes once that has the same access`],
    replaced: new Set(outdated.map(({ username }) => username)),
  };
}

type Wanted = { wanted: Access; persona: Persona | null; isMade: boolean };

/**
 * What the heir must have: what the groups grant, else what the old one has. `isMade`: they are to be made, or brought
 * there by whoever makes them. null: not known yet.
 */
function accessFor(
  situation: Situation,
  roster: Roster,
  policy: Policy,
  outdated: Teammate[],
  heir: Teammate | null,
  granted: Granted | null,
): Wanted | { doubt: string } | null {
  if (granted !== null && policy.provisioning.rescope) {
    const role = wantedAccess(granted.role, roster, { sso: true });
    // An heir who is there already is brought to the role like anybody.
    return role.kind === 'known' ? { wanted: role.access, persona: role.persona, isMade: heir === null } : null;
  }
  const [old, ...more] = outdated;
  if (old === undefined || more.length > 0) {
    return { doubt: 'several teammates of this person are under addresses that are no longer theirs' };
  }
  // What a restriction took is given back first.
  if (situation.restrictions.some((one) => one.account === roster.account && one.username === old.username))
    return null;
  const wanted = knownAccess(situation, roster.account, old);
  if (wanted === null || heir === null) return wanted === null ? null : { wanted, persona: null, isMade: true };
  const seen = knownAccess(situation, roster.account, heir);
  if (seen === null) return null;
  if (holdsAccess(seen, wanted)) return { wanted, persona: null, isMade: false };
  // What SendGrid gives whom it lets in by itself (sendgrid.md §4, JIT) is nobody's decision; anything else was one.
  if (isReadOnly(seen)) return { wanted, persona: null, isMade: true };
  return {
    doubt: 'their address changed, and the teammate under the new one has other access: a human has to say which',
  };
}

function newcomer(
  person: DirectoryPerson,
  account: AccountPolicy,
  old: Teammate | undefined,
  email: string,
  { wanted, persona, reason }: Pick<Wanted, 'wanted' | 'persona'> & { reason: string },
): ActionDraft {
  return {
    kind: 'provision',
    footprint: 'teammate',
    account: account.name,
    subuser: null,
    target: email,
    email,
    admin: false,
    reason,
    sso: true,
    firstName: person.firstName ?? old?.firstName ?? null,
    lastName: person.lastName ?? old?.lastName ?? null,
    wanted,
    persona,
    recordId: null,
    replaces: old?.username ?? null,
  };
}

function nothing(said: Partial<Readdressing> = {}): Readdressing {
  return { actions: [], refused: [], notes: [], replaced: new Set(), ...said };
}
