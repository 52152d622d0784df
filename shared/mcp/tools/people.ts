import { z } from 'zod';
import { searchAudit } from '#shared/audit/search.js';
import { SendoffError } from '#shared/errors.js';
import { isAddress } from '#shared/lifecycle/address.js';
import { footprintsOf } from '#shared/operations/footprints.js';
import { found } from '#shared/operations/found.js';
import type { Db } from '#shared/store/database.js';
import { listEvents } from '#shared/store/inbox.js';
import { registeredKeys } from '#shared/store/key-register.js';
import { listOrders } from '#shared/store/order-list.js';
import { listTodos } from '#shared/store/overview.js';
import { personsWith } from '#shared/store/people.js';
import { listPeople, type PersonItem, showPerson } from '#shared/store/people-list.js';
import { listPlans } from '#shared/store/plans.js';
import { removedAccess } from '#shared/store/restore-records.js';
import { footprint, footprintsShown } from '../footprints.js';
import { at, atOrNull, dataNote, next, paging, plan, planView } from '../schemas.js';
import { defineTool, type McpContext, type Subject } from '../tool.js';

const listed = z.object({
  id: z.string(),
  email: z.string().nullable(),
  name: z.string().nullable(),
  leavingSince: atOrNull.describe('Since when they have been leaving; null: they are not'),
  seenAt: atOrNull.describe('When a directory last showed them; null: it never did'),
});

export const findPeople = defineTool({
  name: 'find_people',
  title: 'Find people',
  description: `Finds people whom Sendoff knows, by the beginning of an address, first or last name, newest first; with \`leaving\` only those who are leaving now.
Use it to get the id for explain_person, or for "who is leaving?". People who are only on a SendGrid roster and in no directory may be missing: see access_of_person. ${dataNote}`,
  access: 'viewer',
  writes: false,
  input: z.strictObject({
    search: z.string().trim().min(1).max(320).optional(),
    leaving: z.boolean().optional(),
    ...paging({ usual: 20, most: 100, timed: true }),
  }),
  output: z.object({ items: z.array(listed), next }),
  async answer({ db }, query) {
    const { items, next } = await listPeople(db, query);
    return { items: items.map(listedPerson), next };
  },
  summary: ({ items, next }) => `${items.length} people${next === null ? '' : '; there are more'}.`,
});

const plansShown = 5;
const eventsShown = 10;
const ordersShown = 10;
const groupsShown = 100;

export const explainPerson = defineTool({
  name: 'explain_person',
  title: 'Explain one person',
  description: `Everything Sendoff knows about one person: what the directory last said, where they still have access, plans with their changes and outcomes, what came in, orders and proposals, proof of removal, and what is left for a human (to-dos, API keys, what could be restored).
Use it for "is Jane out, everywhere, and how do you know?", "why does she still have access?" and to see what became of a proposal.
\`proof\` is the newest record that nothing of them was left, read back from SendGrid; evidence for an auditor is an export of the audit trail, which this tool does not make. It shows what is stored and asks neither directory nor SendGrid anew. ${dataNote}`,
  access: 'viewer',
  writes: false,
  input: z.strictObject({
    person: z
      .string()
      .max(320)
      .refine((text) => isId(text) || isAddress(text), 'an id from find_people, or an e-mail address')
      .describe('An e-mail address, or an id from find_people'),
  }),
  output: z.object({
    person: listed.extend({
      directory: z.string(),
      directoryId: z.string().nullable(),
      emails: z.array(z.string()),
      groups: z.array(z.string()).describe(`From when they were last active; the first ${groupsShown}`),
      managerEmail: z.string().nullable(),
    }),
    directorySays: z
      .object({ verdict: z.string(), reasons: z.array(z.string()), at })
      .nullable()
      .describe('What their newest plan concluded from the directory and from orders; null: they were never planned'),
    footprints: z.array(footprint).describe(`As the rosters were last read; the first ${footprintsShown}`),
    footprintsTotal: z.number(),
    plans: z.array(plan).describe(`The newest ${plansShown}`),
    events: z
      .array(
        z.object({
          id: z.string(),
          source: z.string(),
          type: z.string().nullable(),
          state: z.string(),
          receivedAt: at,
          reason: z.string().nullable(),
          lastError: z.string().nullable(),
        }),
      )
      .describe(`What came in about them; the newest ${eventsShown}`),
    orders: z
      .array(
        z.object({
          state: z.enum(['standing', 'cancelled']),
          proposed: z.boolean().describe('Only asked for: a human has to approve it'),
          by: z.string(),
          reason: z.string().nullable(),
          orderedAt: at,
          effectiveAt: at,
          cancelledBy: z.string().nullable(),
        }),
      )
      .describe(`The newest ${ordersShown}`),
    proof: z
      .object({ settledAt: at, auditId: z.string(), auditSeq: z.number().nullable() })
      .nullable()
      .describe('The newest audit record that nothing of this person was left to do; null: there is none'),
    todos: z.array(z.object({ planId: z.string(), account: z.string(), text: z.string(), since: at })),
    keys: z
      .array(z.object({ account: z.string(), subuser: z.string().nullable(), id: z.string(), name: z.string() }))
      .describe('API keys registered as theirs that still exist'),
    restorable: z
      .array(z.object({ account: z.string(), subuser: z.string().nullable(), email: z.string() }))
      .describe('Removed within 30 days and not given back'),
  }),
  subject: ({ person }): Subject =>
    isId(person) ? { id: person, email: null } : { id: null, email: person.toLowerCase() },
  async answer({ db, policy }, { person }) {
    const id = await idOf(db, person);
    const known = found('person', id, await showPerson(db, id));
    const [facts, left] = await Promise.all([whatHappened(db, id, known.emails), whatIsLeft({ db, policy }, known)]);
    const { emails, groups, directory, directoryId, managerEmail } = known;
    return {
      person: {
        ...listedPerson(known),
        ...{ directory, directoryId, managerEmail, emails },
        groups: groups.slice(0, groupsShown),
      },
      ...facts,
      ...left,
    };
  },
  summary: ({ footprintsTotal, plans, todos, proof }) =>
    `${footprintsTotal} footprints, newest plan ${plans[0]?.state ?? 'none'}, ${todos.length} to-dos, ${proof === null ? 'not proven settled' : `settled at ${proof.settledAt}`}.`,
});

async function whatHappened(db: Db, personId: string, emails: string[]) {
  const [plans, events, orders, settled] = await Promise.all([
    listPlans(db, { limit: plansShown, personId }),
    listEvents(db, { limit: eventsShown, personId }),
    listOrders(db, { emails }, ordersShown),
    searchAudit(db, { kind: 'person.settled', personId }, { limit: 1 }),
  ]);
  const [newest] = plans.items;
  const [record] = settled.items;
  return {
    directorySays:
      newest === undefined ? null : { verdict: newest.verdict, reasons: newest.reasons, at: newest.createdAt },
    plans: plans.items.map(planView),
    events: events.items,
    orders,
    proof: record === undefined ? null : { settledAt: record.at, auditId: record.id, auditSeq: record.seq },
  };
}

async function whatIsLeft(
  { db, policy }: Pick<McpContext, 'db' | 'policy'>,
  { id, emails, links }: PersonItem & { links: { account: string; username: string }[] },
) {
  const [footprints, todos, keys, restorable] = await Promise.all([
    footprintsOf(db, policy, emails, links),
    listTodos(db, 20, id),
    registeredKeys(
      db,
      policy.accounts.map(({ name }) => name),
    ),
    removedAccess(db, [id]),
  ]);
  return {
    footprints: footprints.slice(0, footprintsShown),
    footprintsTotal: footprints.length,
    todos: todos.slice(0, 50),
    keys: keys.filter(({ owner }) => emails.includes(owner)).slice(0, 50),
    restorable: restorable.slice(0, 50),
  };
}

/** @throws SendoffError NOT_FOUND, PERSON_AMBIGUOUS */
async function idOf(db: Db, person: string): Promise<string> {
  if (isId(person)) return person;
  const [id, ...others] = await personsWith(db, [person]);
  if (id === undefined) {
    throw new SendoffError(`Sendoff knows nobody with the address ${person}`, {
      code: 'NOT_FOUND',
      blame: 'input',
      remedy: 'find_people searches; access_of_person finds who is on a roster without being known',
    });
  }
  if (others.length === 0) return id;
  throw new SendoffError(`${others.length + 1} people had the address ${person}`, {
    code: 'PERSON_AMBIGUOUS',
    blame: 'input',
    remedy: `ask for one of them by id: ${[id, ...others].slice(0, 10).join(', ')}`,
  });
}

function isId(text: string): boolean {
  return z.uuid().safeParse(text).success;
}

function listedPerson({ id, email, firstName, lastName, leavingSince, seenAt }: PersonItem) {
  const name = [firstName, lastName].filter((part) => part !== null && part !== '').join(' ');
  return { id, email, name: name === '' ? null : name, leavingSince, seenAt };
}
