/** Who may do what in Sendoff itself, least first: each role may do what those before it may. */
export const roles = ['viewer', 'operator', 'approver', 'admin'] as const;
export type Role = (typeof roles)[number];

export function mayActAs(has: Role, needs: Role): boolean {
  return roles.indexOf(has) >= roles.indexOf(needs);
}

/** The highest role that one of these groups gives; null: none does. */
export function roleOf(granted: Record<Role, readonly string[]>, groups: readonly string[]): Role | null {
  return [...roles].reverse().find((role) => granted[role].some((group) => groups.includes(group))) ?? null;
}

/**
 * What a person is called, whether they came by the console, the API, a terminal or an assistant at their terminal:
 * `user:jane@acme.com` is `operator:jane@acme.com` is `mcp:jane@acme.com`.
 */
export function nameOfActor(actor: string): string {
  return actor.replace(/^(operator|user|token|mcp):/, '');
}
