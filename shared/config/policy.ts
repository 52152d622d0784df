import type { BelongingKind } from '#shared/lifecycle/belonging.js';
import type { Policy, Role } from '#shared/lifecycle/types.js';
import type { Config } from './schema.js';

/** What `offboarding.reassign` names, in the planner's words. `senders` are both generations of them. */
const belongingsOf: Record<Config['offboarding']['reassign'][number], BelongingKind[]> = {
  verified_senders: ['verified-sender'],
  senders: ['sender', 'legacy-sender'],
  alerts: ['alert'],
  forward_bounce: ['forward-bounce'],
  forward_spam: ['forward-spam'],
  address_whitelist: ['address-whitelist'],
};

/** The configuration as planner and gate need it. */
export function policyOf(config: Config): Policy {
  const { terminated, suspended, unassigned, restrictTo, grace, recheck, successor, successors, reassign, apiKeys } =
    config.offboarding;
  const { floor, share, max, window } = config.limits.removals;
  return {
    accounts: Object.entries(config.accounts).map(([name, account]) => {
      const { mode, sso, identity, subusers } = account;
      return { name, mode, sso, identity, subusers };
    }),
    roles: Object.fromEntries(Object.entries(config.roles).map(([name, role]) => [name, roleOf(role)])),
    grants: config.grants,
    offboarding: {
      terminated,
      suspended,
      unassigned,
      restrictTo,
      graceMs: grace,
      recheckMs: recheck,
      successor,
      successors,
      reassign: [...new Set(reassign.flatMap((name) => belongingsOf[name]))],
      apiKeys,
    },
    provisioning: config.provisioning,
    protect: config.protect,
    limits: {
      admins: config.limits.admins,
      removals: { floor, share, max, windowMs: window },
      runShare: config.limits.runShare,
    },
    approvals: { approvers: config.approvals.approvers, expireMs: config.approvals.expire },
    reconcile: { everyMs: config.reconcile.every, orphans: config.reconcile.orphans },
    twilio: config.targets.twilio === undefined ? null : { mode: config.targets.twilio.mode },
  };
}

/** Exactly one of the forms is there: relations.ts sees to it. */
function roleOf({ admin, persona, scopes, subusers }: Config['roles'][string]): Role {
  if (admin === true) return { kind: 'admin' };
  if (persona !== undefined) return { kind: 'persona', persona };
  if (scopes !== undefined) return { kind: 'scopes', scopes };
  return {
    kind: 'subusers',
    subusers: Object.entries(subusers ?? {}).map(([name, access]) => ({
      name,
      permission: access.permission,
      scopes: access.scopes ?? [],
    })),
  };
}
