import { z } from 'zod';
import { name, scopes } from './schema-parts.js';

const subuserAccess = z
  .strictObject({
    permission: z.enum(['admin', 'restricted']).describe('admin: everything there; restricted: the scopes listed'),
    scopes: scopes.optional().describe('Scopes inside the subuser; only with permission: restricted'),
  })
  .describe('Access inside one subuser');

/** The four forms exclude one another (sendgrid.md §4); relations.ts sees to it. */
export const role = z
  .strictObject({
    persona: z
      .enum(['accountant', 'developer', 'marketer', 'observer'])
      .optional()
      .describe('A persona of SendGrid (SSO teammates only)'),
    scopes: scopes.optional().describe('Scopes in the parent account'),
    subusers: z
      .record(z.string().min(1, 'is empty (write a subuser’s name)'), subuserAccess)
      .refine((all) => Object.keys(all).length > 0, 'names no subuser (add at least one)')
      .optional()
      .describe('Access inside these subusers and nowhere else, by subuser name'),
    admin: z.literal(true).optional().describe('Full access to everything'),
  })
  .meta({
    description: 'A named set of SendGrid access: exactly one of the four forms',
    minProperties: 1,
    maxProperties: 1,
  });

export const grant = z
  .strictObject({
    group: z
      .string()
      .min(1, 'is empty (write the group’s name in the directory)')
      .describe('Name of a directory group'),
    account: name.describe('One of accounts'),
    role: name.describe('One of roles'),
  })
  .describe('Members of this directory group have this role in this account');
