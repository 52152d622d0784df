import { z } from 'zod';
import { appendAudit } from '#shared/audit/append.js';
import { type ExportOptions, exportAudit } from '#shared/audit/export.js';
import { trailState } from '#shared/audit/verifications.js';
import type { DatabaseSession } from '../database.js';
import type { Server } from '../server/client.js';
import { findSigner } from '../signer.js';

/** The evidence. */
export interface Audit {
  /** The trail as text, in pieces; that it was exported, and by whom, is in it. @throws SendoffError SIGNING_KEY_MISSING */
  export(options: Omit<ExportOptions, 'signer'>): AsyncIterable<string>;
  /** All of it, for verifying it here. @throws SendoffError SIGNING_KEY_MISSING */
  read(): AsyncIterable<string>;
  /** How many records it has, about. */
  size(): Promise<number>;
  /** The key it must be signed with, as far as this side knows. */
  publicKey(): Promise<string | null>;
}

const whole = { format: 'jsonl', since: null, until: null } as const;

export function inDatabase({ db, environment, by }: DatabaseSession): Audit {
  const signer = findSigner(environment);
  // Whoever asks first is told if there is something wrong with it.
  signer.catch(() => undefined);
  return {
    async *export(options) {
      const key = await signer;
      await appendAudit(db, { kind: 'audit.exported', actor: by(), detail: { format: options.format } });
      yield* exportAudit(db, { ...options, signer: key });
    },
    async *read() {
      yield* exportAudit(db, { ...whole, signer: await signer });
    },
    size: async () => (await trailState(db)).records,
    publicKey: async () => (await signer)?.publicKey ?? null,
  };
}

const state = z.object({ records: z.number() });

export function atServer(server: Server): Audit {
  return {
    export: (options) => server.stream('/audit/export', { ...options }),
    read: () => server.stream('/audit/export', { ...whole }),
    size: async () => (await server.get('/audit/state', state)).records,
    // What the server says of its own key would prove nothing.
    publicKey: async () => null,
  };
}
