import { z } from 'zod';
import { resumeEffects, stopEffects } from '#shared/operations/stops.js';
import { everywhere, type Stop as StoredStop } from '#shared/store/stops.js';
import { assertAccount } from '../accounts.js';
import type { DatabaseSession } from '../database.js';
import type { Server } from '../server/client.js';
import { page } from '../server/documents.js';

const stop = z.object({ scope: z.string(), by: z.string(), reason: z.string().nullable(), at: z.string() });
type Stop = z.infer<typeof stop>;

/** What stands still. Both say what does so from then on. */
export interface Stops {
  /** @param account undefined: everywhere */
  stop(account: string | undefined, reason: string | null): Promise<Stop[]>;
  /** @throws SendoffError NOT_STOPPED */
  resume(account: string | undefined): Promise<Stop[]>;
}

export function inDatabase({ db, config, by }: DatabaseSession): Stops {
  const scopeOf = (account: string | undefined): string => {
    if (account !== undefined) assertAccount(config(), account);
    return account ?? everywhere;
  };
  return {
    stop: async (account, reason) =>
      (await stopEffects(db, { scope: scopeOf(account), by: by(), reason })).map(documentOf),
    resume: async (account) => (await resumeEffects(db, { scope: scopeOf(account), by: by() })).map(documentOf),
  };
}

function documentOf({ scope, by, reason, at }: StoredStop): Stop {
  return { scope, by, reason, at: at.toISOString() };
}

export function atServer(server: Server): Stops {
  return {
    stop: async (account, reason) =>
      (await server.post('/stops', page(stop), { account, reason: reason ?? undefined })).items,
    resume: async (account) => (await server.post('/stops/resume', page(stop), { account })).items,
  };
}
