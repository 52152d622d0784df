import type { z } from 'zod';
import { SendGridRefused } from './errors.js';

export type Method = 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';

export interface Call<T> {
  method: Method;
  /** Path template such as `/v3/teammates/{username}`: names the endpoint for pacing, messages and metrics. */
  path: string;
  params?: Record<string, string>;
  query?: Record<string, string | number>;
  body?: unknown;
  /** Act inside this subuser (sendgrid.md §2, on-behalf-of). */
  subuser?: string;
  /** What a 2xx must look like; null: its body says nothing. */
  answer: z.ZodType<T> | null;
}

/**
 * Names from outside become one path segment each, whatever they contain: `../x` reaches no other endpoint
 * (reliability.md §11, 47).
 * @throws SendGridRefused for a name that no segment can hold; nothing was sent
 */
export function urlOf(baseUrl: string, { path, params = {}, query = {} }: Call<unknown>): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => segmentOf(path, name, params[name] ?? ''));
  const search = new URLSearchParams(
    Object.entries(query).map(([key, value]): [string, string] => [key, String(value)]),
  ).toString();
  return `${baseUrl}${filled}${search === '' ? '' : `?${search}`}`;
}

/**
 * The subuser as the value of `on-behalf-of`. `account-id …` there means a reseller's customer, whose name no subuser
 * bears (sendgrid.md §2).
 * @throws SendGridRefused for a name that would mean something else; nothing was sent
 */
export function onBehalfOf(path: string, subuser: string): string {
  if (!/^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(subuser) || /^account-id\b/i.test(subuser)) {
    refuse(path, 'subuser', 'such a name');
  }
  return subuser;
}

function segmentOf(path: string, name: string, value: string): string {
  // A URL reads a segment of one or two dots as a direction.
  if (value === '' || value === '.' || value === '..') refuse(path, name, JSON.stringify(value));
  try {
    return encodeURIComponent(value);
  } catch {
    return refuse(path, name, 'half a character');
  }
}

/** The value itself may be a token: it is not repeated. */
function refuse(path: string, name: string, what: string): never {
  throw new SendGridRefused(`${what} can't be the ${name} of ${path}`, {
    code: 'SENDGRID_NAME_INVALID',
    blame: 'input',
  });
}
