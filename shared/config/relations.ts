import { isTwilioUrl } from '#shared/twilio/url.js';
import type { Finding } from './finding.js';
import { knownScopes } from './known-scopes.js';
import { nearest } from './nearest.js';
import { scopes } from './schema-parts.js';
import { isIssuer } from './schema-sign-in.js';
import { sourceKind } from './sources/index.js';
import { isLoopback, isOrigin } from './url.js';

// What one key of the file says about another. It looks at what is written, not at what zod makes of it, so that these
// mistakes are reported together with the others. Whatever has the wrong shape is zod's to name.

type Group = Record<string, unknown>;

/** @param isTest SENDOFF_ENV=test, under which plain http to this machine is allowed */
export function relationFindings(raw: unknown, isTest: boolean): Finding[] {
  const config = groupOf(raw);
  const sources = groupOf(config.sources);
  const accounts = groupOf(config.accounts);
  return [
    ...Object.entries(groupOf(config.notifications)).flatMap(([name, channel]) =>
      missingName(groupOf(channel).account, accounts, 'account', ['notifications', name, 'account']),
    ),
    ...authorityFindings(config.authority, sources),
    ...Object.entries(sources).flatMap(([name, source]) => sourceFindings(groupOf(source), ['sources', name], sources)),
    ...Object.entries(groupOf(config.roles)).flatMap(([name, role]) => roleFindings(groupOf(role), ['roles', name])),
    ...listOf(config.grants).flatMap((grant, index) => [
      ...missingName(groupOf(grant).account, accounts, 'account', ['grants', index, 'account']),
      ...missingName(groupOf(grant).role, groupOf(config.roles), 'role', ['grants', index, 'role']),
    ]),
    ...(isTest
      ? []
      : Object.entries(sources).flatMap(([name, source]) => {
          const urls = sourceKind(groupOf(source).type)?.urls ?? [];
          return urls.flatMap((key) => loopbackFindings({ [name]: source }, 'sources', key));
        })),
    ...signInFindings(config),
    ...(isTest ? [] : loopbackFindings({ '': config }, '', 'publicUrl')),
    ...(isTest ? [] : loopbackFindings({ signIn: config.signIn }, '', 'issuer', isIssuer)),
    ...(isTest ? [] : loopbackFindings(accounts, 'accounts', 'baseUrl')),
    ...(isTest ? [] : loopbackFindings(groupOf(config.targets), 'targets', 'baseUrl', isTwilioUrl)),
    ...(isTest ? [] : loopbackFindings(groupOf(config.targets), 'targets', 'tokenUrl', isTwilioUrl)),
  ];
}

function missingName(name: unknown, among: Group, what: string, path: Finding['path']): Finding[] {
  if (typeof name !== 'string' || Object.hasOwn(among, name)) return [];
  const names = Object.keys(among);
  const near = nearest(name, names);
  const remedy = near === null ? `there is ${names.join(', ') || 'none'}` : `did you mean ${near}?`;
  return [{ path, text: `names no ${what} of this file (${remedy})` }];
}

/** Names that Sendoff itself writes into the inbox. */
const reservedNames = ['operator', 'reconcile'];

function sourceFindings(source: Group, path: [string, string], sources: Group): Finding[] {
  const reserved = reservedNames.includes(path[1])
    ? [{ path, text: 'is a name that Sendoff uses itself (choose another)', isKey: true }]
    : [];
  return [
    ...reserved,
    ...missingName(source.ids, sources, 'source', [...path, 'ids']),
    ...(sourceKind(source.type)?.findings(source, path) ?? []),
  ];
}

/** The provider sends people back to an address that it was told beforehand. */
function signInFindings({ signIn, publicUrl }: Group): Finding[] {
  if (signIn === undefined || publicUrl !== undefined) return [];
  return [{ path: ['signIn'], text: 'needs publicUrl (add it: https:// and the host name people open)', isKey: true }];
}

function authorityFindings(authority: unknown, sources: Group): Finding[] {
  const named = Array.isArray(authority) ? authority.map((name, index) => ({ name, at: ['authority', index] })) : [];
  return [...named, ...(Array.isArray(authority) ? [] : [{ name: authority, at: ['authority'] }])].flatMap(
    ({ name, at }) => {
      const missing = missingName(name, sources, 'source', at);
      if (missing.length > 0 || typeof name !== 'string') return missing;
      const source = groupOf(sources[name]);
      const why = sourceKind(source.type)?.noDirectory(source) ?? null;
      return why === null ? [] : [{ path: at, text: why }];
    },
  );
}

function roleFindings(role: Group, path: string[]): Finding[] {
  const forms = ['persona', 'scopes', 'subusers', 'admin'];
  const used = forms.filter((form) => role[form] !== undefined);
  // A misspelt form has been named as an unknown key.
  const isFine = used.length === 1 || (used.length === 0 && Object.keys(role).length > 0);
  const unclear = isFine
    ? []
    : [
        {
          path,
          text: `${used.length === 0 ? 'gives no access' : `has ${used.join(' and ')}, which exclude one another`} (write exactly one of ${forms.join(', ')})`,
        },
      ];
  const entries = Object.entries(groupOf(role.subusers)).flatMap(([subuser, value]): Finding[] => {
    const { permission, scopes } = groupOf(value);
    const at = [...path, 'subusers', subuser, 'scopes'];
    const unknown = unknownScopes(scopes, at);
    if (unknown.length > 0) return unknown;
    if (permission === 'admin' && scopes !== undefined)
      return [
        {
          path: at,
          text: 'does not go with permission: admin, which is everything (remove it, or write permission: restricted)',
        },
      ];
    if (permission === 'restricted' && scopes === undefined)
      return [{ path: at, text: 'is missing (add it: permission: restricted needs scopes)' }];
    return [];
  });
  return [...unclear, ...unknownScopes(role.scopes, [...path, 'scopes']), ...entries];
}

/** @param isFine would the schema take the address? Else it has named it already. */
/** A role with a scope that SendGrid refuses would never be given to anybody. */
function unknownScopes(list: unknown, path: Finding['path']): Finding[] {
  return listOf(list).flatMap((scope, index) => {
    // What is no scope at all, or one that SendGrid sets by itself, is zod's to name.
    const isScope = typeof scope === 'string' && scopes.element.safeParse(scope).success;
    if (!isScope || knownScopes.includes(scope)) return [];
    const near = nearest(scope, knownScopes);
    const remedy = near === null ? 'write it as SendGrid does: mail.send' : `did you mean ${near}?`;
    return [{ path: [...path, index], text: `names no scope of SendGrid (${remedy})` }];
  });
}

function loopbackFindings(all: Group, section: string, key: string, isFine = isOrigin): Finding[] {
  return Object.entries(all).flatMap(([name, one]) => {
    const url = groupOf(one)[key];
    if (typeof url !== 'string' || !isLoopback(url) || !isFine(url)) return [];
    return [
      {
        path: [section, name, key].filter((part) => part !== ''),
        text: 'plain http to this machine is for tests only (write https://…, or set SENDOFF_ENV=test)',
      },
    ];
  });
}

function groupOf(value: unknown): Group {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Group) : {};
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
