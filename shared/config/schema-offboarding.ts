import { z } from 'zod';
import { duration } from './duration.js';
import { looksLikeAddress, scopes } from './schema-parts.js';

const noSuccessor = 'is none of manager, none and an e-mail address (write one of them)';
const treatment = z.enum(['delete', 'restrict', 'keep']);

const apiKeys = z
  .strictObject({
    match: z
      .string()
      .refine(
        isPattern,
        'is no regular expression (mind brackets and backslashes; {local} stands for the part before the @)',
      )
      .default('^{local}[-_. ]')
      .describe(
        'Regular expression for names of API keys of a leaver; {local} is the part of the address before the @',
      ),
    action: z.enum(['report', 'revoke']).default('report').describe('What happens to a key whose name matches'),
    registered: z
      .enum(['revoke', 'successor'])
      .default('revoke')
      .describe('What happens to keys that the key register says are theirs: revoke, or hand over to the successor'),
  })
  .describe('API keys that a leaver may have made');

export const offboarding = z
  .strictObject({
    terminated: treatment
      .default('delete')
      .describe('People who left: delete, restrict (least scopes SendGrid allows) or keep'),
    suspended: treatment.default('restrict').describe('People who are suspended: delete, restrict or keep'),
    restrictTo: scopes.default(['user.profile.read']).describe('Scopes that a restricted person keeps'),
    unassigned: treatment
      .default('delete')
      .describe('Active people who lost the app or the last grant: delete, restrict or keep'),
    grace: duration().prefault('0s').describe('Wait between restricting and deleting'),
    recheck: duration()
      .prefault('5m')
      .describe('Look once more so long after somebody was removed: SendGrid may have let them in again; 0s: not'),
    successor: z
      .union([z.enum(['manager', 'none']), z.string().refine(looksLikeAddress, noSuccessor)], noSuccessor)
      .default('manager')
      .describe('Who receives what the leaver owned: manager (by the directory), an e-mail address, or none'),
    successors: z
      .array(
        z
          .strictObject({
            group: z
              .string()
              .min(1, 'is empty (write the group’s name in the directory)')
              .describe('Name of a directory group'),
            successor: z
              .string()
              .refine(looksLikeAddress, 'is no e-mail address (write one)')
              .describe('Who receives what its members owned'),
          })
          .describe('Members of this group are succeeded by this address'),
      )
      .default([])
      .describe('Stand above successor for members of a group; the first that matches'),
    reassign: z
      .array(z.enum(['verified_senders', 'senders', 'alerts', 'forward_bounce', 'forward_spam', 'address_whitelist']))
      .default(['verified_senders', 'senders', 'alerts', 'forward_bounce', 'forward_spam'])
      .describe('What moves to the successor'),
    apiKeys: apiKeys.prefault({}),
  })
  .describe('What happens to people whose access ends');

function isPattern(text: string): boolean {
  try {
    new RegExp(text.replaceAll('{local}', 'ada\\.lovelace'));
    return true;
  } catch {
    return false;
  }
}
