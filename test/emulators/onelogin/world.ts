export interface EmulatedUser {
  id: number;
  email: string | null;
  username: string | null;
  firstname: string | null;
  lastname: string | null;
  status: number;
  state: number;
  activated_at: string | null;
  manager_user_id: number | null;
  group_id: number | null;
  /** By id. */
  roles: Set<number>;
  apps: Set<number>;
}

/** An event as the Events API gives it. */
export interface EmulatedEvent {
  id: number;
  created_at: string;
  account_id: number;
  event_type_id: number;
  user_id: number | null;
  user_name: string | null;
  role_id: number | null;
  role_name: string | null;
  app_id: number | null;
}

/** What is true in the emulated account. */
export interface OneLoginWorld {
  users: Map<number, EmulatedUser>;
  /** Names by id. */
  roles: Map<number, string>;
  groups: Map<number, string>;
  apps: Set<number>;
  /** Apps that users do not see in their portal. */
  hiddenApps: Set<number>;
  events: EmulatedEvent[];
  eventTypes: Map<number, string>;
  /** Do users say which roles they have, or must that be asked for? */
  rolesInUser: boolean;
}

/** A part of an account's table. The names of the first six are published, the others are made up in their manner. */
export const usualTypes: [number, string][] = [
  [1, 'APP_ADDED_TO_ROLE'],
  [2, 'APP_REMOVED_FROM_ROLE'],
  [3, 'USER_ASSUMED_USER'],
  [4, 'USER_ASSIGNED_ROLE'],
  [5, 'USER_LOGGED_INTO_ONELOGIN'],
  [6, 'USER_FAILED_ONELOGIN_LOGIN'],
  [13, 'CREATED_USER'],
  [14, 'UPDATED_USER'],
  [15, 'DEACTIVATED_USER'],
  [16, 'ACTIVATED_USER'],
  [17, 'DELETED_USER'],
  [19, 'USER_LOCKED'],
  [21, 'SUSPENDED_USER'],
  [32, 'REACTIVATED_USER'],
  [55, 'USER_DELETED_IN_APP'],
  [147, 'USER_MANUALLY_ADDED_TO_ROLE'],
  [148, 'USER_MANUALLY_REMOVED_FROM_ROLE'],
  [206, 'LOGIN_MANUALLY_ADDED'],
  [207, 'LOGIN_MANUALLY_REMOVED'],
  [530, 'USER_DESTROYED_VIA_API'],
];
