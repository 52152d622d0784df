import { z } from 'zod';
import { at } from './schemas.js';

export const footprintsShown = 100;

export const footprint = z.object({
  account: z.string(),
  subuser: z.string().nullable().describe('null: in the account itself'),
  footprint: z.enum(['teammate', 'invitation']),
  target: z.string(),
  email: z.string(),
  admin: z.boolean(),
  readAt: at,
});
