import type { HoldingsSeed } from './holdings.js';

// What the emulated accounts are made of, and how a test says it.

export interface EmulatedTeammate {
  username: string;
  email: string;
  first_name: string;
  last_name: string;
  user_type: 'owner' | 'admin' | 'teammate';
  is_admin: boolean;
  is_sso: boolean;
  /** As given; managed scopes are added on reading. */
  scopes: string[];
  /** null: not confined to subusers. */
  subusers: { id: number; permission_type: 'admin' | 'restricted'; scopes: string[] }[] | null;
}

export interface EmulatedInvitation {
  email: string;
  scopes: string[];
  is_admin: boolean;
  token: string;
  expiration_date: number;
}

export interface EmulatedSubuser {
  id: number;
  username: string;
  email: string;
  disabled: boolean;
}

export interface EmulatedAccessRequest {
  id: number;
  scope_group_name: string;
  username: string;
  email: string;
  first_name: string;
  last_name: string;
}

/** What an account and a subuser have alike. */
export interface SpaceSeed extends HoldingsSeed {
  teammates?: TeammateSeed[];
  invitations?: { email: string; is_admin?: boolean; scopes?: string[] }[];
}

export type SubuserSeed = SpaceSeed & { id: number; username: string; email?: string; disabled?: boolean };

export interface AccountSeed extends SpaceSeed {
  name: string;
  apiKey: string;
  owner?: { username: string; email: string };
  subusers?: SubuserSeed[];
  /** false: the endpoint is gone (sendgrid.md §5). */
  accessRequests?: { email: string; username?: string; scopeGroup?: string }[] | false;
  /**
   * Paths that take no notice of `on-behalf-of`: the parent answers. Which do is not certain (sendgrid.md §2); default
   * those of which nobody claims otherwise.
   */
  ignoresOnBehalfOf?: string[];
  /** A deleted key goes on working until `forgetDeletedKeys` (sendgrid.md §2, revocation lag). */
  deletedKeysLinger?: boolean;
  /** Per endpoint, as the real headers count. */
  rateLimit?: { limit: number; windowSeconds: number };
  /** Whose key it is; default the owner's. null: the key may not read it (403). */
  keyUsername?: string | null;
  /** What the key may do; default everything. */
  keyScopes?: string[];
}

export type TeammateSeed = Partial<EmulatedTeammate> & { email: string };
