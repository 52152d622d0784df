import { z } from 'zod';
import { withoutManaged } from '#shared/lifecycle/scopes.js';
import type { Access, Invitation } from '#shared/lifecycle/types.js';
import type { SendGridClient } from './client.js';
import { SendGridNotFound, SendGridRefused } from './errors.js';
import { walkPages } from './pages.js';

const item = z
  .object({
    email: z.string(),
    is_admin: z.boolean().nullish(),
    expiration_date: z.union([z.number(), z.string()]).nullish(),
    // Live data says token, examples and older clients pending_id (sendgrid.md §3).
    token: z.string().nullish(),
    pending_id: z.string().nullish(),
  })
  .refine((one) => one.token ?? one.pending_id);
const list = z
  .object({ result: z.array(item).optional(), results: z.array(item).optional() })
  .refine((body) => body.result ?? body.results);

/** An invitation with the token that names it. The token lets its bearer in: it is kept nowhere. */
export interface TokenInvitation extends Invitation {
  token: string;
}

/**
 * Every pending invitation (sendgrid.md §3), expired ones included: whether SendGrid still lists those is not documented.
 * @throws errors.ts; never returns part of the list
 */
export async function listInvitations(client: SendGridClient): Promise<TokenInvitation[]> {
  const all = await walkPages<z.infer<typeof item>>(
    `SendGrid ${client.account}: GET /v3/teammates/pending`,
    async (query) => {
      const body = await client.call({ method: 'GET', path: '/v3/teammates/pending', query, answer: list });
      return body.result ?? body.results ?? [];
    },
    tokenOf,
  );
  return all.map((one) => ({
    email: one.email,
    admin: one.is_admin === true,
    expiresAt: dateOf(one.expiration_date),
    token: tokenOf(one),
  }));
}

/**
 * Withdraws an invitation (sendgrid.md §3).
 * @returns 'absent' when SendGrid knew no such invitation
 * @throws errors.ts
 */
export async function deleteInvitation(client: SendGridClient, token: string): Promise<'deleted' | 'absent'> {
  try {
    await client.call({ method: 'DELETE', path: '/v3/teammates/pending/{token}', params: { token }, answer: null });
    return 'deleted';
  } catch (error) {
    if (error instanceof SendGridNotFound) return 'absent';
    throw error;
  }
}

/**
 * Invites a password or Twilio Login teammate, who has to accept (sendgrid.md §3). Not idempotent: look in both lists
 * first. Scopes that SendGrid manages are left out: some are refused at this point only.
 * @throws SendGridRefused also for somebody confined to subusers, which no invitation can ask
 */
export async function inviteTeammate(client: SendGridClient, email: string, access: Access): Promise<void> {
  if (access.subusers !== null) {
    throw new SendGridRefused(`SendGrid ${client.account}: nobody can be invited into subusers alone`, {
      code: 'SENDGRID_UNSUPPORTED',
      blame: 'input',
      remedy: 'invite them in SendGrid’s own settings of the subuser',
    });
  }
  const scopes = access.admin ? [] : withoutManaged(access.scopes, { sso: false });
  const refusedAtFirst = new Set(['user.profile.update', 'user.password.update']);
  const body = { email, is_admin: access.admin, scopes: scopes.filter((scope) => !refusedAtFirst.has(scope)) };
  await client.call({ method: 'POST', path: '/v3/teammates', body, answer: null });
}

function tokenOf(one: z.infer<typeof item>): string {
  return one.token ?? one.pending_id ?? '';
}

/** Unix seconds (sendgrid.md §3). */
function dateOf(seconds: number | string | null | undefined): Date | null {
  const at = new Date(Number(seconds ?? Number.NaN) * 1_000);
  return Number.isNaN(at.getTime()) ? null : at;
}
