import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { Signer } from '#shared/audit/signing-key.js';
import type { Config } from '#shared/config/schema.js';
import type { Policy } from '#shared/lifecycle/types.js';
import type { Outside } from '#shared/planning/surroundings.js';
import type { Db } from '#shared/store/database.js';
import type { Log } from '#shared/telemetry/log.js';

/** What the API's routes work with. */
export interface ApiContext {
  db: Db;
  config: Config;
  policy: Policy;
  /** null: exports end with a checkpoint that a worker signed. */
  signer: Signer | null;
  log: Log;
  /** Known secret values out of a text. */
  scrub(text: string): string;
  /** Something was stored: see queue/relay.ts. */
  nudge(): void;
  /** Directories and accounts, opened when first asked for. */
  outside(): Outside;
}

/** A server whose routes are validated by zod schemas, in and out. */
export type ApiServer = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  ZodTypeProvider
>;
