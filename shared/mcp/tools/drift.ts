import { z } from 'zod';
import { searchAudit } from '#shared/audit/search.js';
import type { Db } from '#shared/store/database.js';
import { listEvents, reconcileSource } from '#shared/store/inbox.js';
import { listRuns, type RunItem } from '#shared/store/reconcile-requests.js';
import { at, atOrNull, dataNote, next, paging, personRef } from '../schemas.js';
import { defineTool } from '../tool.js';

const accountsShown = 100;

export const drift = defineTool({
  name: 'drift',
  title: 'Drift',
  description: `Tells what the newest comparison of all SendGrid rosters with the directory found that no event had announced: how much in each account, and of which kinds (orphan, leaver, suspended, unassigned, arrival, access, ambiguous); and, newest first, the people for whom a comparison led to a plan.
Use it for "has anything drifted?" and "what did the last reconciliation find?". Who differs and is only reported stands in who_has_access with the filters orphan, no-grant and leaving. It cannot start a comparison. ${dataNote}`,
  access: 'viewer',
  writes: false,
  input: z.strictObject(paging({ usual: 20, most: 100 })),
  output: z.object({
    comparison: z
      .object({
        id: z.string(),
        mode: z.enum(['cheap', 'deep']).describe('cheap: who is there; deep: also what each may do'),
        by: z.string(),
        startedAt: at,
        finishedAt: atOrNull,
        unannounced: z.number().describe('Leavers whom no identity provider had announced'),
        problems: z.array(z.string()),
        accounts: z
          .array(
            z.object({
              account: z.string(),
              complete: z
                .boolean()
                .describe('false: not read whole, or it shrank, so nobody was removed because of it'),
              teammates: z.number(),
              drift: z.number(),
              kinds: z.record(z.string(), z.number()),
            }),
          )
          .describe(`Those that differ or are not complete first; the first ${accountsShown}`),
        accountsTotal: z.number(),
      })
      .nullable()
      .describe('null: none has gone through yet'),
    found: z.array(
      z.object({
        eventId: z.string(),
        person: personRef.nullable(),
        type: z.string().nullable(),
        state: z.string(),
        foundAt: at,
      }),
    ),
    next,
  }),
  async answer({ db }, { limit, before }) {
    const [runs, events] = await Promise.all([
      listRuns(db, { limit: 10 }),
      listEvents(db, { source: reconcileSource, limit, before }),
    ]);
    const run = runs.items.find(({ summary }) => summary !== null);
    return {
      comparison: run === undefined ? null : await comparisonOf(db, run),
      found: events.items.map(({ id, person, type, state, receivedAt }) => ({
        eventId: id,
        ...{ person, type, state, foundAt: receivedAt },
      })),
      next: events.next,
    };
  },
  summary({ comparison }) {
    if (comparison === null) return 'No comparison has gone through yet.';
    const differ = comparison.accounts.reduce((sum, one) => sum + one.drift, 0);
    return `${differ} footprints differ, by the comparison that ended at ${comparison.finishedAt ?? 'an unknown time'}.`;
  },
});

async function comparisonOf(db: Db, { id, mode, by, startedAt, finishedAt, summary }: RunItem) {
  const kinds = await kindsOf(db, id, new Date(startedAt));
  const accounts = (summary?.accounts ?? []).map(({ account, complete, teammates, drift }) => ({
    ...{ account, complete, teammates, drift },
    kinds: kinds.get(account) ?? {},
  }));
  accounts.sort((a, b) => Number(a.complete) - Number(b.complete) || b.drift - a.drift);
  return {
    ...{ id, mode, by, startedAt, finishedAt },
    unannounced: summary?.unannounced ?? 0,
    problems: summary?.problems ?? [],
    accounts: accounts.slice(0, accountsShown),
    accountsTotal: accounts.length,
  };
}

/** A run keeps numbers; of which kinds they are stands in its audit records. */
async function kindsOf(db: Db, run: string, since: Date): Promise<Map<string, Record<string, number>>> {
  const { items } = await searchAudit(db, { kind: 'reconcile.finished', since }, { limit: 500 });
  const detail = z.object({ run: z.string(), drift: z.record(z.string(), z.number()) });
  const kinds = new Map<string, Record<string, number>>();
  for (const record of items) {
    const read = detail.safeParse(record.detail);
    if (read.success && read.data.run === run && record.account !== null) kinds.set(record.account, read.data.drift);
  }
  return kinds;
}
