import type { z } from 'zod';
import { unavailable } from './transport.js';

/** @throws DirectoryUnavailable when an answer has not the form that is read */
export function parsed<Schema extends z.ZodType>(name: string, schema: Schema, value: unknown): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw unavailable(name, 'its answer has not the documented form');
}
