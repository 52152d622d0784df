import { randomBytes } from 'node:crypto';
import { EmulatedHoldings } from './holdings.js';
import type {
  AccountSeed,
  EmulatedAccessRequest,
  EmulatedInvitation,
  EmulatedSubuser,
  EmulatedTeammate,
  TeammateSeed,
} from './seeds.js';

// One SendGrid parent account, or one subuser of it: who is in it, as the API's documentation and its users report
// (sendgrid.md). What it holds besides is in holdings.ts.

const weekSeconds = 7 * 24 * 3_600;

export class EmulatedAccount extends EmulatedHoldings {
  readonly name: string;
  apiKey: string;
  /** 401 from now on, as after a revocation. */
  revoked = false;
  readonly teammates = new Map<string, EmulatedTeammate>();
  readonly invitations = new Map<string, EmulatedInvitation>();
  /** null: the endpoint is gone. */
  readonly accessRequests: Map<number, EmulatedAccessRequest> | null;
  readonly subusers: EmulatedSubuser[];
  /** What is inside each subuser, by its username. */
  readonly spaces: ReadonlyMap<string, EmulatedAccount>;
  readonly ignoresOnBehalfOf: string[];
  readonly deletedKeysLinger: boolean;
  readonly lingeringKeys = new Set<string>();
  readonly rateLimit: { limit: number; windowSeconds: number } | null;
  readonly keyUsername: string | null;
  readonly keyScopes: string[] | null;
  readonly windows = new Map<string, { count: number; resetAt: number }>();

  /** @param inside the id of the subuser that this is the inside of: it lists no owner and knows no subusers */
  constructor(seed: AccountSeed, inside: number | null = null) {
    super(seed, (inside ?? 0) * 10_000);
    this.name = seed.name;
    this.apiKey = seed.apiKey;
    const owner = seed.owner ?? { username: `${seed.name}-owner`, email: `owner@${seed.name}.example` };
    if (inside === null) {
      this.addTeammate({ ...owner, user_type: 'owner', is_admin: true, is_sso: false });
      // The key in use is one of the account's keys.
      const id = seed.apiKey.split('.')[1] ?? seed.apiKey;
      this.apiKeys.set(id, { id, name: 'Sendoff', scopes: seed.keyScopes ?? [], secret: null });
    }
    for (const teammate of seed.teammates ?? []) this.addTeammate(teammate);
    for (const invitation of seed.invitations ?? []) this.invite(invitation);
    this.accessRequests = seed.accessRequests === false ? null : new Map();
    for (const request of seed.accessRequests || []) this.requestAccess(request);
    this.subusers = (seed.subusers ?? []).map(({ id, username, email, disabled }) => ({
      id,
      username,
      email: email ?? `${username}@subuser.example`,
      disabled: disabled ?? false,
    }));
    this.spaces = new Map(
      (seed.subusers ?? []).map(({ username, id, ...space }) => [
        username,
        new EmulatedAccount({ ...space, name: username, apiKey: seed.apiKey }, id),
      ]),
    );
    this.ignoresOnBehalfOf = seed.ignoresOnBehalfOf ?? ['/v3/subusers', '/v3/scopes/requests'];
    this.deletedKeysLinger = seed.deletedKeysLinger ?? false;
    this.rateLimit = seed.rateLimit ?? null;
    this.keyUsername = seed.keyUsername === undefined ? owner.username : seed.keyUsername;
    this.keyScopes = seed.keyScopes ?? null;
  }

  /** What is inside this subuser. */
  inSubuser(username: string): EmulatedAccount {
    const space = this.spaces.get(username);
    if (space === undefined) throw new Error(`the emulated account ${this.name} has no subuser ${username}`);
    return space;
  }

  /** As a teammate asks in SendGrid's pages; the API can't (sendgrid.md §5). */
  requestAccess({
    email,
    username = email,
    scopeGroup = 'Stats',
  }: {
    email: string;
    username?: string;
    scopeGroup?: string;
  }): EmulatedAccessRequest {
    const requests = this.accessRequests;
    if (requests === null) throw new Error('this account knows no access requests');
    const id = Math.max(0, ...requests.keys()) + 1;
    const request = { id, username, email, scope_group_name: scopeGroup, first_name: 'Some', last_name: 'One' };
    requests.set(id, request);
    return request;
  }

  /** The lag of revocation has passed. */
  forgetDeletedKeys(): void {
    this.lingeringKeys.clear();
  }

  /** SSO teammates' username is their address; others have a name of their own (sendgrid.md §1.3). */
  addTeammate(seed: TeammateSeed): EmulatedTeammate {
    const sso = seed.is_sso ?? true;
    const admin = seed.is_admin ?? false;
    const teammate: EmulatedTeammate = {
      username: seed.username ?? (sso ? seed.email : `u-${seed.email.split('@')[0]}`),
      first_name: 'Some',
      last_name: 'One',
      user_type: admin ? 'admin' : 'teammate',
      scopes: ['mail.send', 'templates.read'],
      subusers: null,
      ...seed,
      is_admin: admin,
      is_sso: sso,
    };
    this.teammates.set(teammate.username, teammate);
    return teammate;
  }

  invite({
    email,
    is_admin = false,
    scopes = [],
  }: {
    email: string;
    is_admin?: boolean;
    scopes?: string[];
  }): EmulatedInvitation {
    const token = randomBytes(16).toString('hex');
    const invitation = {
      email,
      is_admin,
      scopes,
      token,
      expiration_date: Math.floor(Date.now() / 1_000) + weekSeconds,
    };
    this.invitations.set(token, invitation);
    return invitation;
  }

  /** IdP-initiated sign-on with JIT on: an unknown person becomes a read-only teammate (sendgrid.md §4). */
  jitSignIn(email: string): void {
    if (!this.teammates.has(email)) this.addTeammate({ email, scopes: ['stats.read', 'user.profile.read'] });
  }

  /** Is this address among the people of the parent account? */
  has(email: string): boolean {
    const address = email.toLowerCase();
    return (
      [...this.teammates.values()].some((mate) => mate.email.toLowerCase() === address) ||
      [...this.invitations.values()].some((invitation) => invitation.email.toLowerCase() === address)
    );
  }

  /** Is there any trace of this address: people, access requests, belongings; in the parent or inside a subuser? */
  hasAnywhere(email: string): boolean {
    const address = email.toLowerCase();
    return (
      this.has(email) ||
      this.holds(email) ||
      [...(this.accessRequests?.values() ?? [])].some((request) => request.email.toLowerCase() === address) ||
      [...this.spaces.values()].some((space) => space.hasAnywhere(email))
    );
  }

  /** By e-mail, whatever the username. */
  teammate(email: string): EmulatedTeammate | undefined {
    return [...this.teammates.values()].find((mate) => mate.email.toLowerCase() === email.toLowerCase());
  }
}
