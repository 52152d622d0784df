import { z } from 'zod';
import { duo } from './duo.js';
import { entra } from './entra.js';
import { file } from './file.js';
import { google } from './google.js';
import { okta } from './okta.js';
import { onelogin } from './onelogin.js';
import type { SourceKind } from './source-kind.js';
import { ssf } from './ssf.js';
import { webhook } from './webhook.js';

// The registry: one line for each kind of source here, in producers/sources.ts and in shared/directory/directories.ts.

const kinds = { okta, entra, google, onelogin, duo, ssf, webhook, file };

const schemas = [
  okta.schema,
  entra.schema,
  google.schema,
  onelogin.schema,
  duo.schema,
  ssf.schema,
  webhook.schema,
  file.schema,
] as const;

export const source = z
  .discriminatedUnion('type', schemas, {
    error: ({ input, code }) => {
      if (code !== 'invalid_union') return undefined;
      const known = Object.keys(kinds).join(', ');
      const { type } = (input ?? {}) as { type?: unknown };
      return type === undefined ? `has no type (write one of ${known})` : `is none of ${known} (write one of them)`;
    },
  })
  .describe('One configured identity provider');

export type SourceConfig = z.infer<typeof source>;
export type SourceType = SourceConfig['type'];

/** @param type as written in the file; null for no kind of source */
export function sourceKind(type: unknown): SourceKind | null {
  return typeof type === 'string' && Object.hasOwn(kinds, type) ? kinds[type as SourceType] : null;
}
