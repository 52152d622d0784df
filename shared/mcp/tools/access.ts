import { z } from 'zod';
import { footprintsOf } from '#shared/operations/footprints.js';
import { assertAccount } from '#shared/operations/found.js';
import { readRosterPage, rosterFilters } from '#shared/operations/roster-page.js';
import { rosterFigures } from '#shared/store/account-rosters.js';
import { personsWith } from '#shared/store/people.js';
import { showPerson } from '#shared/store/people-list.js';
import { footprint, footprintsShown } from '../footprints.js';
import { address, atOrNull, dataNote, next, paging } from '../schemas.js';
import { defineTool } from '../tool.js';

/** An address that outlived an id leads to several people; nobody has more. */
const mostPeople = 5;

export const whoHasAccess = defineTool({
  name: 'who_has_access',
  title: 'Who has access to an account',
  description: `Lists the teammates and pending invitations of one SendGrid account, as Sendoff last read them (\`readAt\`), with flags for what is odd:
orphan (no directory knows them), admin (full access), arrived (SendGrid let them in by itself), no-grant (no group gives them access here), leaving, invitation, expired.
Use it for "who still has access to <account>?" and, with \`filter\`, for "which leavers or orphans are still in <account>?".
It shows the account itself, not its subusers (access_of_person looks there too), and does not ask SendGrid anew. ${dataNote}`,
  access: 'viewer',
  writes: false,
  input: z.strictObject({
    account: z
      .string()
      .max(200)
      .describe('The name of the account in Sendoff’s configuration; a wrong one is answered with the names'),
    filter: z.enum(rosterFilters).optional().describe('Only who has this flag'),
    search: z.string().trim().min(1).max(320).optional().describe('Part of an address or username'),
    ...paging({ usual: 50, most: 200 }),
  }),
  output: z.object({
    account: z.string(),
    readAt: atOrNull.describe('null: it was never read, so nothing is known'),
    total: z.number(),
    items: z.array(
      z.object({
        state: z.enum(['teammate', 'invitation']),
        person: z.object({ id: z.string().nullable(), email: z.string() }),
        username: z.string().nullable(),
        name: z.string().nullable(),
        userType: z.string().nullable(),
        admin: z.boolean(),
        sso: z.boolean(),
        expiresAt: atOrNull,
        flags: z.array(z.enum(rosterFilters)),
      }),
    ),
    next,
  }),
  async answer({ db, policy, config }, { account, ...query }) {
    assertAccount(config.accounts, account);
    return { account, ...(await readRosterPage({ db, policy }, account, query)) };
  },
  summary: ({ items, total, readAt }) =>
    readAt === null ? 'This account was never read.' : `${items.length} of ${total}, as read at ${readAt}.`,
});

export const accessOfPerson = defineTool({
  name: 'access_of_person',
  title: 'Where somebody has access',
  description: `Finds every place where somebody is a teammate or invited, in all SendGrid accounts and their subusers, by e-mail address, as Sendoff last read them.
Use it for "does <address> still have access anywhere?". It also finds people whom the directory does not know.
An empty list proves something only for accounts in \`accounts\` with a recent \`readAt\`; for proof that somebody was removed use explain_person. It does not ask SendGrid anew. ${dataNote}`,
  access: 'viewer',
  writes: false,
  input: z.strictObject({ email: address }),
  output: z.object({
    email: z.string(),
    people: z
      .array(z.object({ id: z.string(), leavingSince: atOrNull }))
      .describe('Whom Sendoff knows by this address'),
    footprints: z.array(footprint).describe(`The first ${footprintsShown}`),
    footprintsTotal: z.number(),
    accounts: z
      .array(z.object({ account: z.string(), readAt: atOrNull }))
      .describe('When each account was last read; null: never'),
  }),
  subject: ({ email }) => ({ id: null, email }),
  async answer({ db, policy }, { email }) {
    const ids = (await personsWith(db, [email])).slice(0, mostPeople);
    const people = (await Promise.all(ids.map((id) => showPerson(db, id)))).filter((one) => one !== null);
    const emails = [...new Set([email, ...people.flatMap((one) => one.emails)])];
    const links = people.flatMap((one) => one.links);
    const [found, figures] = await Promise.all([footprintsOf(db, policy, emails, links), rosterFigures(db)]);
    return {
      email,
      people: people.map(({ id, leavingSince }) => ({ id, leavingSince })),
      footprints: found.slice(0, footprintsShown),
      footprintsTotal: found.length,
      accounts: policy.accounts.map(({ name }) => ({
        account: name,
        readAt: figures.find((one) => one.account === name)?.readAt ?? null,
      })),
    };
  },
  summary: ({ footprintsTotal, accounts }) =>
    `${footprintsTotal} footprints in ${accounts.length} accounts, ${accounts.filter(({ readAt }) => readAt === null).length} of which were never read.`,
});
