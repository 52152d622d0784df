import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Directories } from '#shared/directory/directories.js';
import type { Directory } from '#shared/directory/directory.js';
import type { DirectoryPerson } from '#shared/lifecycle/types.js';
import { personFor, rememberPerson } from '#shared/store/people.js';
import { createTestDatabase, type TestDatabase } from '#test/support/database.js';
import { identify } from './identify.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

type Listing = Record<string, string[]>;
let listings: Record<string, Listing>;

/** Directories that hold ids with their addresses. */
function directories(authority: string[]): Directories {
  const all = Object.keys(listings).map((name) => directoryOf(name));
  const of = (name: string) => all.find((one) => one.name === name) as Directory;
  return {
    authorities: authority.map(of),
    all,
    of,
    idsOf: (source) => all.find(({ name }) => name === source) ?? null,
  };
}

function person(directoryId: string, emails: string[]): DirectoryPerson {
  const nothing = { firstName: null, lastName: null, manager: null, groups: [], assigned: null };
  return { directoryId, standing: 'active', emails, ...nothing };
}

function directoryOf(name: string): Directory {
  const people = () => Object.entries(listings[name] ?? {}).map(([id, emails]) => person(id, emails));
  return {
    name,
    async read(id) {
      const found = people().find(({ directoryId }) => directoryId === id);
      return found === undefined ? { kind: 'not-found' } : { kind: 'found', person: found };
    },
    findByEmail: async (email) => people().filter(({ emails }) => emails.includes(email)),
    groupsLeft: async () => [],
    async *list() {},
    doctor: async () => [],
  };
}

const who = async (authority: string[], source: string | null, directoryId: string | null, email: string | null) => {
  const known = await identify(
    { db: database.db, directories: directories(authority) },
    { directoryId, email },
    source,
  );
  const { person, named, ambiguousAddress } = known;
  const doubt = ambiguousAddress === null ? '' : ` or who has ${ambiguousAddress} now`;
  return { of: `${person.directory} ${person.directoryId}${doubt}`, named };
};

async function seen(directory: string, id: string, email: string): Promise<void> {
  const { id: personId } = await personFor(database.db, directory, { directoryId: id, email });
  await database.db.transaction().execute((tx) => rememberPerson(tx, personId, person(id, [email]), null));
}

beforeEach(async () => {
  await database.pool.query('truncate person cascade');
  listings = { okta: { o1: ['jane@acme.com'] }, google: { g1: ['jane@acme.com'], g2: ['guest@acme.com'] }, duo: {} };
});

describe('whom a sender means', () => {
  it('the one authority: the id it names, without a question', async () => {
    expect(await who(['okta'], 'okta', 'o1', 'jane@acme.com')).toEqual({ of: 'okta o1', named: true });
    expect(await who(['okta'], 'okta', 'unheard-of', null)).toEqual({ of: 'okta unheard-of', named: false });
  });

  it('of two authorities, the first that knows the address owns the person, whoever spoke', async () => {
    const both = ['okta', 'google'];
    expect(await who(both, 'google', 'g1', 'jane@acme.com')).toEqual({ of: 'okta o1', named: false });
    expect(await who(both, 'google', 'g1', null)).toEqual({ of: 'okta o1', named: false });
    expect(await who(both, 'google', 'g2', null)).toEqual({ of: 'google g2', named: false });
    expect(await who(['google', 'okta'], 'okta', 'o1', null)).toEqual({ of: 'google g1', named: false });
  });

  it('whom the owner has deleted still belongs to it', async () => {
    await seen('okta', 'o1', 'jane@acme.com');
    delete listings.okta?.o1;
    listings.google = {};
    expect(await who(['okta', 'google'], 'google', 'g1', 'jane@acme.com')).toEqual({ of: 'okta o1', named: false });
    expect(await who(['okta'], null, null, 'jane@acme.com')).toEqual({ of: 'okta o1', named: false });
  });

  it('whom the owner has deleted, and whose address somebody active has elsewhere, is a question', async () => {
    await seen('okta', 'o1', 'jane@acme.com');
    delete listings.okta?.o1;
    const who1 = await who(['okta', 'google'], 'google', 'g1', null);
    expect(who1.of).toBe('okta o1 or who has jane@acme.com now');
  });

  it('an old address that the sender still writes does not lead to who has it now', async () => {
    listings.okta = { o1: ['new.jane@acme.com'], o2: ['jane@acme.com'] };
    listings.google = { g1: ['new.jane@acme.com'] };
    expect(await who(['okta', 'google'], 'google', 'g1', 'jane@acme.com')).toEqual({ of: 'okta o1', named: false });
  });

  it('of two whom a directory has shown with an address and lists no more, neither is taken', async () => {
    await seen('okta', 'o7', 'jane@acme.com');
    await seen('okta', 'o8', 'jane@acme.com');
    delete listings.okta?.o1;
    expect(await who(['okta'], null, null, 'jane@acme.com')).toEqual({ of: 'okta null', named: false });
  });

  it('a source that only hints: its id leads to addresses, and these to the authority', async () => {
    listings.duo = { d1: ['jane@acme.com'] };
    expect(await who(['okta'], 'duo', 'd1', null)).toEqual({ of: 'okta o1', named: false });
    expect(await who(['okta'], 'webhook', '4711', 'jane@acme.com')).toEqual({ of: 'okta o1', named: false });
  });

  it('whom a hinting source lists no more is known by the address it gave before', async () => {
    listings.duo = { d1: ['jane@acme.com'] };
    await who(['okta'], 'duo', 'd1', null);
    listings.duo = {};
    expect(await who(['okta'], 'duo', 'd1', null)).toEqual({ of: 'okta o1', named: false });
  });

  it('an id of nobody’s and no address is nobody', async () => {
    await expect(who(['okta'], 'webhook', '4711', null)).rejects.toMatchObject({ code: 'PERSON_UNKNOWN' });
    await expect(who(['okta'], 'duo', 'gone', null)).rejects.toMatchObject({ code: 'PERSON_UNHEARD' });
  });
});
