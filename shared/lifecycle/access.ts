import { implicitScopes } from './scopes.js';
import type { Access } from './types.js';

/** The least access that Sendoff leaves a restricted person (design.md, small print "Restrict"). */
export function restrictedAccess(restrictTo: readonly string[]): Access {
  return { admin: false, scopes: [...new Set(restrictTo)].sort(), subusers: null };
}

/** Do two accesses allow the same? Order and repetition don't count; an admin's scope list says nothing. */
export function sameAccess(a: Access, b: Access): boolean {
  return fingerprint(a) === fingerprint(b);
}

function fingerprint(access: Access): string {
  if (access.admin) return 'admin';
  const scopes = (list: readonly string[]) => [...new Set(list)].sort();
  if (access.subusers === null) return JSON.stringify(scopes(access.scopes));
  const subusers = access.subusers.map((s) =>
    s.permission === 'admin' ? [s.id, 'admin'] : [s.id, 'restricted', scopes(s.scopes)],
  );
  return JSON.stringify({ subusers: subusers.sort((x, y) => Number(x[0]) - Number(y[0])) });
}

/** May they only look? What SendGrid gives to whom it lets in by itself (sendgrid.md §4, JIT). */
export function isReadOnly({ admin, scopes, subusers }: Access): boolean {
  return !admin && subusers === null && scopes.every((scope) => scope.endsWith('.read') || implicitScopes.has(scope));
}
