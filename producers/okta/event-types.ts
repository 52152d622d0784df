import type { LifecycleEventType } from '#shared/lifecycle/types.js';

// idp-events.md §1.4. What an event says is only a hint: the directory is asked anyway.

/** Okta's hooks carry these. */
const pushed: Record<string, LifecycleEventType> = {
  'user.lifecycle.create': 'joined',
  'user.lifecycle.activate': 'reactivated',
  'user.lifecycle.deactivate': 'terminated',
  'user.lifecycle.delete.initiated': 'terminated',
  'user.lifecycle.suspend': 'suspended',
  'user.lifecycle.unsuspend': 'reactivated',
  'user.account.update_profile': 'moved',
  'group.user_membership.add': 'moved',
  'group.user_membership.remove': 'moved',
  'application.user_membership.add': 'assigned',
  'application.user_membership.remove': 'unassigned',
};

/** These stand in the System Log alone. */
const logged: Record<string, LifecycleEventType> = {
  'user.lifecycle.delete.completed': 'terminated',
  'user.account.update_primary_email': 'renamed',
  'user.account.update_secondary_email': 'renamed',
  'user.account.update_user_type': 'moved',
  'system.import.user.create': 'joined',
  'system.import.user.update': 'moved',
  'system.import.user.delete': 'terminated',
  'system.import.user.suspend': 'suspended',
  'system.import.user.unsuspend': 'reactivated',
  'application.user_membership.change_username': 'renamed',
  'application.user_membership.deprovision': 'unassigned',
  'application.user_membership.revoke': 'unassigned',
  'application.user_membership.restore': 'assigned',
};

/** A map, for types come from outside. */
export const meanings: ReadonlyMap<string, LifecycleEventType> = new Map(Object.entries({ ...pushed, ...logged }));

/** Events about many people at once: never taken as a reason to remove any of them. */
export const aboutMany: ReadonlySet<string> = new Set([
  'group.application_assignment.add',
  'group.application_assignment.remove',
  'group.application_assignment.update',
  'group.lifecycle.delete',
  'application.lifecycle.deactivate',
  'application.lifecycle.delete',
]);

/** Okta logs a delivery only when it failed. */
export const failedDelivery = 'event_hook.delivery';

/** What a hook is to be told. Okta counts every delivery against a daily quota, so no more than is used. */
export function hookTypes(app: string | null): string[] {
  return usedWith(app, Object.keys(pushed));
}

/** The System Log's filter: what hooks carry, what they never carry, and what became of them. */
export function logFilter(app: string | null): string {
  const types = usedWith(app, [...meanings.keys(), ...aboutMany, failedDelivery]);
  return types.map((type) => `eventType eq "${type}"`).join(' or ');
}

/** Without a configured app, who is assigned to which says nothing. */
function usedWith(app: string | null, types: string[]): string[] {
  return app === null ? types.filter((type) => !type.startsWith('application.user_membership.')) : types;
}
