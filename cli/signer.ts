import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadSigningKey, type Signer } from '#shared/audit/signing-key.js';
import type { Environment } from '#shared/config/environment.js';

/** From the environment, or what `sendoff up` made in the data folder; null when there is none at hand. */
export async function findSigner(environment: Environment): Promise<Signer | null> {
  if (environment.signingKey !== null) return loadSigningKey(environment.signingKey);
  if (environment.databaseUrl !== null) return null;
  const pem = await readFile(join(environment.dataDir, 'signing-key.pem'), 'utf8').catch(() => null);
  return pem === null ? null : loadSigningKey(pem);
}
