import { canonicalAddress } from '../address.js';
import type { Situation } from '../situation.js';
import type { ApiKey, Policy, Roster } from '../types.js';
import { type Handover, heirOf } from './belongings.js';

/** API keys outlive their maker and carry no owner (sendgrid.md §1.2): the register and their names are all there is. */
export function handOverKeys(
  { person, registeredKeys, ...situation }: Situation,
  roster: Roster,
  { offboarding }: Policy,
  reason: string,
): Handover {
  const { account } = roster;
  const { actions, todos }: Handover = { actions: [], todos: [] };
  const registered = new Map(
    registeredKeys.filter((key) => key.account === account).map((key) => [placeOf(key), key] as const),
  );
  const emails = new Set(person.emails.map(canonicalAddress));
  const successor = heirOf(situation, emails);
  const patterns = namePatterns(offboarding.apiKeys.match, person.emails);
  let unattributed = 0;
  for (const key of [...roster.keys].sort((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1))) {
    if (key.id === roster.ownKeyId) continue;
    const entry = registered.get(placeOf(key));
    const draft = { footprint: 'api-key' as const, account, subuser: key.subuser, target: key.id, admin: false };
    const about = { ...draft, email: person.emails[0] ?? '', label: key.name };
    if (entry !== undefined) {
      if (!emails.has(entry.owner)) continue;
      const onLeave = entry.onLeave ?? offboarding.apiKeys.registered;
      if (onLeave === 'revoke') {
        actions.push({ ...about, kind: 'revoke', reason: `${reason}; the key register says it is theirs` });
      } else if (successor.email === null) {
        todos.push({
          account,
          text: `API key “${key.name}” (${key.id}) is theirs by the register and nobody takes it over: ${successor.why}`,
        });
      } else {
        actions.push({ ...about, kind: 'hand-over', to: successor.email, reason: `${reason}; ${successor.why}` });
      }
    } else if (patterns.some((pattern) => pattern.test(key.name))) {
      if (offboarding.apiKeys.action === 'revoke') {
        actions.push({ ...about, kind: 'revoke', reason: `${reason}; its name matches offboarding.apiKeys.match` });
      } else {
        todos.push({
          account,
          text: `API key “${key.name}” (${key.id}) looks like theirs by its name: replace and revoke it, or adopt it (sendoff keys adopt)`,
        });
      }
    } else {
      unattributed += 1;
    }
  }
  if (unattributed > 0) {
    const keys = unattributed === 1 ? '1 API key has' : `${unattributed} API keys have`;
    todos.push({
      account,
      text: `${keys} no known owner and may be theirs: sendoff keys list --account ${account} --unattributed`,
    });
  }
  return { actions, todos };
}

/** The configured pattern once for each address, with the part before the @ taken literally. */
export function namePatterns(match: string, emails: readonly string[]): RegExp[] {
  const locals = new Set(
    emails.map((email) => canonicalAddress(email).split('@')[0] ?? '').filter((one) => one !== ''),
  );
  return [...locals].map((local) => {
    const literal = local.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    return new RegExp(
      match.replaceAll('{local}', () => literal),
      'i',
    );
  });
}

function placeOf({ subuser, id }: Pick<ApiKey, 'subuser' | 'id'>): string {
  return `${subuser ?? ''}\n${id}`;
}
