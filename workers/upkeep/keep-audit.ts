import { signCheckpoint } from '#shared/audit/checkpoint.js';
import { sequenceAudit } from '#shared/audit/sequence.js';
import type { Signer } from '#shared/audit/signing-key.js';
import type { Db } from '#shared/store/database.js';
import type { UpkeepTask } from './upkeep.js';

/** Puts audit records into the chain, and signs its head. Of several workers one does it at a time. */
export function keepAudit(db: Db, signer: Signer): UpkeepTask[] {
  return [
    { name: 'sequence-audit', everyMs: 1_000, run: async () => void (await sequenceAudit(db)) },
    { name: 'checkpoint-audit', everyMs: 60_000, run: async () => void (await signCheckpoint(db, signer)) },
  ];
}
