import { randomUUID } from 'node:crypto';

export interface EntraUserSeed {
  id?: string;
  email: string;
  upn?: string;
  otherMails?: string[];
  proxyAddresses?: string[];
  managerId?: string;
  accountEnabled?: boolean;
}

export interface EmulatedUser {
  id: string;
  accountEnabled: boolean;
  userPrincipalName: string;
  mail: string | null;
  otherMails: string[];
  proxyAddresses: string[];
  givenName: string;
  surname: string;
  managerId: string | null;
  deletedDateTime: string | null;
}

export interface EmulatedGroup {
  id: string;
  displayName: string;
  /** Ids of users and groups. */
  members: Set<string>;
}

export interface EmulatedApp {
  id: string;
  accountEnabled: boolean;
  assigned: { principalId: string; principalType: 'User' | 'Group' }[];
}

export interface MemberChange {
  id: string;
  type: 'user' | 'group';
  removed: boolean;
}

/** What the delta query and the notifications tell of. */
export interface Change {
  about: 'users' | 'groups';
  id: string;
  changeType: 'updated' | 'deleted';
  at: string;
  sequenceNumber: string;
  members: MemberChange[];
}

/** A tenant's people and groups, and everything that happened to them, in order. */
export interface Tenant {
  users: Map<string, EmulatedUser>;
  groups: Map<string, EmulatedGroup>;
  apps: Map<string, EmulatedApp>;
  changes: Change[];
  addUser(seed: EntraUserSeed): EmulatedUser;
  setEnabled(id: string, accountEnabled: boolean): void;
  update(id: string, more: Partial<EmulatedUser>): void;
  /** Into the recycle bin: told as `updated`. */
  softDelete(id: string): void;
  restore(id: string): void;
  /** Out of the recycle bin, a month later: told as `deleted`. */
  purge(id: string): void;
  addGroup(displayName: string, id?: string): EmulatedGroup;
  groupNamed(displayName: string): EmulatedGroup;
  join(groupId: string, memberId: string): void;
  leave(groupId: string, memberId: string): void;
  deleteGroup(id: string): void;
  /** Names of all groups somebody is in. @param deep nested ones included */
  groupsOf(id: string, deep: boolean): EmulatedGroup[];
  membersOf(id: string, deep: boolean): string[];
}

export function createTenant(): Tenant {
  const users = new Map<string, EmulatedUser>();
  const groups = new Map<string, EmulatedGroup>();
  const changes: Change[] = [];
  // As real ones: ticks, far beyond 2^53.
  let ticks = 637_628_640_120_385_565n;

  const record = (
    about: Change['about'],
    id: string,
    changeType: Change['changeType'],
    members: MemberChange[] = [],
  ) => {
    ticks += 1n;
    changes.push({ about, id, changeType, at: new Date().toISOString(), sequenceNumber: String(ticks), members });
  };
  const userOf = (id: string): EmulatedUser => {
    const user = users.get(id);
    if (user === undefined) throw new Error(`the emulator has no user ${id}`);
    return user;
  };
  const groupOf = (id: string): EmulatedGroup => {
    const group = groups.get(id);
    if (group === undefined) throw new Error(`the emulator has no group ${id}`);
    return group;
  };
  const member = (id: string, removed: boolean): MemberChange => ({
    id,
    type: groups.has(id) ? 'group' : 'user',
    removed,
  });

  const tenant: Tenant = {
    users,
    groups,
    apps: new Map(),
    changes,
    addUser(seed) {
      const [given = 'some'] = seed.email.split('@');
      const user: EmulatedUser = {
        id: seed.id ?? randomUUID(),
        accountEnabled: seed.accountEnabled ?? true,
        userPrincipalName: seed.upn ?? seed.email,
        mail: seed.email,
        otherMails: seed.otherMails ?? [],
        proxyAddresses: seed.proxyAddresses ?? [`SMTP:${seed.email}`],
        givenName: given,
        surname: 'One',
        managerId: seed.managerId ?? null,
        deletedDateTime: null,
      };
      users.set(user.id, user);
      record('users', user.id, 'updated');
      return user;
    },
    setEnabled(id, accountEnabled) {
      userOf(id).accountEnabled = accountEnabled;
      record('users', id, 'updated');
    },
    update(id, more) {
      Object.assign(userOf(id), more);
      record('users', id, 'updated');
    },
    softDelete(id) {
      const user = userOf(id);
      user.deletedDateTime = new Date().toISOString();
      user.userPrincipalName = `${id.replaceAll('-', '')}${user.userPrincipalName}`;
      record('users', id, 'updated');
      for (const group of groups.values()) {
        if (group.members.has(id)) record('groups', group.id, 'updated', [member(id, true)]);
      }
    },
    restore(id) {
      const user = userOf(id);
      user.deletedDateTime = null;
      user.userPrincipalName = user.userPrincipalName.slice(id.replaceAll('-', '').length);
      record('users', id, 'updated');
    },
    purge(id) {
      users.delete(id);
      for (const group of groups.values()) group.members.delete(id);
      record('users', id, 'deleted');
    },
    addGroup(displayName, id = randomUUID()) {
      const group: EmulatedGroup = { id, displayName, members: new Set() };
      groups.set(id, group);
      record('groups', id, 'updated');
      return group;
    },
    groupNamed(displayName) {
      return [...groups.values()].find((group) => group.displayName === displayName) ?? tenant.addGroup(displayName);
    },
    join(groupId, memberId) {
      groupOf(groupId).members.add(memberId);
      record('groups', groupId, 'updated', [member(memberId, false)]);
    },
    leave(groupId, memberId) {
      groupOf(groupId).members.delete(memberId);
      record('groups', groupId, 'updated', [member(memberId, true)]);
    },
    deleteGroup(id) {
      groups.delete(id);
      record('groups', id, 'deleted');
    },
    groupsOf(id, deep) {
      const direct = [...groups.values()].filter((group) => group.members.has(id));
      if (!deep) return direct;
      const all = new Set(direct);
      for (const group of direct) for (const outer of tenant.groupsOf(group.id, true)) all.add(outer);
      return [...all];
    },
    membersOf(id, deep) {
      const direct = [...(groups.get(id)?.members ?? [])].filter(
        (one) => users.get(one)?.deletedDateTime === null || groups.has(one),
      );
      if (!deep) return direct;
      return [...new Set(direct.flatMap((one) => [one, ...tenant.membersOf(one, true)]))];
    },
  };
  return tenant;
}
