import type { z } from 'zod';
import type { Finding } from '../finding.js';

/** What the configuration knows of one kind of source. */
export interface SourceKind<Schema extends z.ZodType = z.ZodType> {
  schema: Schema;
  /** Keys that hold origins: plain http to this machine is for tests only. */
  urls: readonly string[];
  /** Can it be an authority? A sentence that says why not; null: it can. */
  noDirectory(source: Record<string, unknown>): string | null;
  /** Can `sendoff subscriptions ensure` make something at the provider, as this source is configured? */
  subscribes(source: z.infer<Schema>): boolean;
  /** What one key of it says about another; whatever has the wrong shape is zod's to name. */
  findings(source: Record<string, unknown>, path: string[]): Finding[];
  /** What is accepted and looks like a mistake. */
  notices(source: z.infer<Schema>, path: string): string[];
}
