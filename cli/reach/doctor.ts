import { z } from 'zod';
import { streamChecks } from '#producers/subscriptions.js';
import { policyOf } from '#shared/config/policy.js';
import type { Check } from '#shared/directory/directory.js';
import { runDoctor } from '#shared/operations/doctor.js';
import { openOutside } from '#shared/planning/surroundings.js';
import type { DatabaseSession } from '../database.js';
import { type Server, slowMs } from '../server/client.js';

/** What has not answered by then is said to be so. */
const withinMs = 60_000;

const checked = z.object({
  checks: z.array(z.object({ name: z.string(), ok: z.boolean(), detail: z.string(), remedy: z.string() })),
});

export interface Doctor {
  examine(): Promise<Check[]>;
}

export function inDatabase({ db, config }: DatabaseSession): Doctor {
  return {
    examine() {
      // Somebody tries out a configuration: a key that is refused stops no work.
      const outside = openOutside(db, config(), policyOf(config()), () => Promise.resolve());
      return runDoctor(db, config(), outside, withinMs, streamChecks(db, config()));
    },
  };
}

export function atServer(server: Server): Doctor {
  return { examine: async () => (await server.post('/doctor', checked, {}, slowMs)).checks };
}
