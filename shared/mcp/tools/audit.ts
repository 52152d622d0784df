import { z } from 'zod';
import { searchAudit } from '#shared/audit/search.js';
import { address, at, dataNote, next, paging, personRef } from '../schemas.js';
import { defineTool } from '../tool.js';

const moment = z.iso.datetime({ offset: true }).transform((text) => new Date(text));
const facts = z.record(z.string(), z.unknown()).nullable();

export const auditSearch = defineTool({
  name: 'search_audit',
  title: 'Search the audit trail',
  description: `Searches the audit trail, newest first: what came in, what was decided and by whom, what was changed in SendGrid with what was there before and after, who signed in, exported or called these tools. Every field narrows.
Use it for "who approved this?", "when was Jane removed from marketing?", "what did token:grafana do yesterday?". Kinds are such as event.received, plan.made, plan.held, plan.approved, plan.rejected, action.applied, action.failed, person.settled, operator.ordered, operator.proposed, effects.stopped, access.refused, mcp.called.
What it shows is no evidence by itself: that is a signed export (\`sendoff audit export\`), which this tool does not make. ${dataNote}`,
  access: 'viewer',
  writes: false,
  input: z.strictObject({
    kind: z.string().max(100).optional(),
    account: z.string().max(200).optional(),
    actor: z.string().max(200).optional().describe('Such as user:jane@acme.com, token:grafana, worker'),
    personId: z.uuid().optional(),
    email: address.optional(),
    since: moment.optional().describe('Such as 2026-11-24T00:00:00Z'),
    until: moment.optional(),
    ...paging({ usual: 20, most: 100, timed: true }),
  }),
  output: z.object({
    items: z.array(
      z.object({
        id: z.string(),
        seq: z.number().nullable().describe('Its place in the chain; null for about a second'),
        at,
        kind: z.string(),
        actor: z.string(),
        account: z.string().nullable(),
        person: personRef.nullable(),
        action: z
          .object({
            id: z.string(),
            kind: z.string(),
            footprint: z.string(),
            subuser: z.string().nullable(),
            target: z.string().nullable(),
          })
          .nullable(),
        before: facts,
        after: facts,
        cause: z.object({ source: z.string(), eventIds: z.array(z.string()), plan: z.string().nullable() }).nullable(),
        detail: facts,
        personal: z.record(z.string(), z.string()).nullable().describe('Such as the reason that somebody gave'),
        erased: z.boolean().describe('Personal data was erased'),
      }),
    ),
    next,
  }),
  subject: ({ personId, email }) =>
    personId === undefined && email === undefined ? null : { id: personId ?? null, email: email ?? null },
  answer: ({ db }, { limit, before, ...filter }) => searchAudit(db, filter, { limit, before }),
  summary: ({ items, next }) => `${items.length} records${next === null ? '' : '; there are more'}.`,
});
