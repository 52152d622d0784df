import { sameAccess } from '../access.js';
import { scopesOf } from '../persona.js';
import { implicitScopes, withoutManaged } from '../scopes.js';
import type { Access, Persona, Policy, Role, Roster } from '../types.js';

/** What a person's groups give them in one account. */
export interface Granted {
  name: string;
  role: Role;
}

/** Do the grants say who has access in this account? Where they don't, everybody whom the app covers may be there. */
export function isCoveredByGrants({ grants }: Pick<Policy, 'grants'>, account: string): boolean {
  return grants.some((grant) => grant.account === account);
}

/** Every group counts; the first matching line for the account wins. Group names are compared without case. */
export function grantedRole(policy: Policy, account: string, groups: readonly string[]): Granted | null {
  const mine = new Set(groups.map(canonicalGroup));
  const grant = policy.grants.find((one) => one.account === account && mine.has(canonicalGroup(one.group)));
  const role = grant === undefined ? undefined : policy.roles[grant.role];
  return grant === undefined || role === undefined ? null : { name: grant.role, role };
}

export function canonicalGroup(group: string): string {
  return group.trim().toLowerCase();
}

export type WantedAccess =
  | { kind: 'known'; access: Access; persona: Persona | null }
  /** The role names subusers that the account does not have, or that could not be read. */
  | { kind: 'unknown-subusers'; names: string[] };

/** A role as the access that this account must show; what SendGrid manages itself is left out (sendgrid.md §6.3). */
export function wantedAccess(
  role: Role,
  { subuserIds }: Pick<Roster, 'subuserIds'>,
  { sso }: { sso: boolean },
): WantedAccess {
  const known = (access: Access, persona: Persona | null = null): WantedAccess => {
    return { kind: 'known', access: { ...access, scopes: withoutManaged(access.scopes, { sso }) }, persona };
  };
  switch (role.kind) {
    case 'admin':
      return known({ admin: true, scopes: [], subusers: null });
    case 'persona':
      return known({ admin: false, scopes: scopesOf(role.persona), subusers: null }, role.persona);
    case 'scopes':
      return known({ admin: false, scopes: [...new Set(role.scopes)].sort(), subusers: null });
    case 'subusers': {
      const ids = new Map(subuserIds.map(({ id, name }) => [name, id] as const));
      const missing = role.subusers.filter(({ name }) => !ids.has(name)).map(({ name }) => name);
      if (missing.length > 0) return { kind: 'unknown-subusers', names: missing };
      const subusers = role.subusers.map(({ name, permission, scopes }) => ({
        id: ids.get(name) ?? 0,
        permission,
        scopes: [...scopes].sort(),
      }));
      return known({ admin: false, scopes: [], subusers: subusers.sort((a, b) => a.id - b.id) });
    }
  }
}

/** Is this what was wanted, apart from what every teammate has anyway (sendgrid.md §6.3)? */
export function holdsAccess(seen: Access, wanted: Access): boolean {
  return sameAccess(bare(seen), bare(wanted));
}

function bare(access: Access): Access {
  const without = (scopes: string[]) => scopes.filter((scope) => !implicitScopes.has(scope));
  return {
    ...access,
    scopes: without(access.scopes),
    subusers: access.subusers?.map((one) => ({ ...one, scopes: without(one.scopes) })) ?? null,
  };
}

/**
 * Is this what the role stands for here? A persona stands for what SendGrid showed when it was given last: that differs
 * by plan (sendgrid.md §6.1, §6.4). A role that can't be told in this account is taken for held.
 */
export function holdsRole(
  seen: Access,
  role: Role,
  roster: Pick<Roster, 'subuserIds'>,
  mate: { sso: boolean },
  applied: { persona: Persona | null; shown: Access } | null,
): boolean {
  const wanted = wantedAccess(role, roster, mate);
  if (wanted.kind === 'unknown-subusers') return true;
  const { access, persona } = wanted;
  const shown = persona !== null && applied?.persona === persona ? applied.shown : null;
  return holdsAccess(seen, access) || (shown !== null && holdsAccess(seen, shown));
}

/** Scopes that were wanted and are not there. */
export function missingScopes(seen: Access, wanted: Access): string[] {
  const all = (access: Access) => [...access.scopes, ...(access.subusers ?? []).flatMap((one) => one.scopes)];
  const present = new Set([...all(seen), ...implicitScopes]);
  return [...new Set(all(wanted))].filter((scope) => !present.has(scope)).sort();
}
