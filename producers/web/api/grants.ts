import type { Policy } from '#shared/lifecycle/types.js';

/** Grants as a table: groups down, accounts across; the first matching line per account wins. */
export function grantMatrix({ accounts, grants, roles }: Policy) {
  const names = accounts.map(({ name }) => name);
  const groups = [...new Set(grants.map(({ group }) => group))];
  return {
    accounts: names,
    rows: groups.map((group) => ({
      group,
      roles: Object.fromEntries(
        names.map((name) => [
          name,
          grants.find((grant) => grant.group === group && grant.account === name)?.role ?? null,
        ]),
      ),
    })),
    roles: Object.entries(roles).map(([name, role]) => ({ name, ...role })),
  };
}
