import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { type ExportOptions, exportAudit } from '#shared/audit/export.js';
import { loadSigningKey, type Signer } from '#shared/audit/signing-key.js';
import { trailState } from '#shared/audit/verifications.js';
import type { Environment } from '#shared/config/environment.js';
import type { DatabaseSession } from '../database.js';
import type { Server } from '../server/client.js';

/** The evidence. */
export interface Audit {
  /** The trail as text, in pieces. @throws SendoffError SIGNING_KEY_MISSING */
  export(options: Omit<ExportOptions, 'signer'>): AsyncIterable<string>;
  /** How many records it has, about. */
  size(): Promise<number>;
  /** The key it must be signed with, as far as this side knows. */
  publicKey(): Promise<string | null>;
}

export function inDatabase({ db, environment }: DatabaseSession): Audit {
  const signer = findSigner(environment);
  // Whoever asks first is told if there is something wrong with it.
  signer.catch(() => undefined);
  return {
    async *export(options) {
      yield* exportAudit(db, { ...options, signer: await signer });
    },
    size: async () => (await trailState(db)).records,
    publicKey: async () => (await signer)?.publicKey ?? null,
  };
}

/** From the environment, or what `sendoff up` made in the data folder; null when there is none at hand. */
async function findSigner(environment: Environment): Promise<Signer | null> {
  if (environment.signingKey !== null) return loadSigningKey(environment.signingKey);
  if (environment.databaseUrl !== null) return null;
  const pem = await readFile(join(environment.dataDir, 'signing-key.pem'), 'utf8').catch(() => null);
  return pem === null ? null : loadSigningKey(pem);
}

const state = z.object({ records: z.number() });

export function atServer(server: Server): Audit {
  return {
    export: (options) => server.stream('/audit/export', { ...options }),
    size: async () => (await server.get('/audit/state', state)).records,
    // What the server says of its own key would prove nothing.
    publicKey: async () => null,
  };
}
