import { z } from 'zod';
import { adoptKey, changeOwner, type KeyOwner, readKeysAnew, registerOwner } from '#shared/operations/keys.js';
import { createApiKey } from '#shared/sendgrid/api-keys.js';
import { inSubuser } from '#shared/sendgrid/in-subuser.js';
import { assertAccount } from '../accounts.js';
import type { DatabaseSession } from '../database.js';
import { type Server, slowMs } from '../server/client.js';
import { page } from '../server/documents.js';
import { onlyBesideIt } from '../server/failures.js';

const key = z.object({
  account: z.string(),
  subuser: z.string().nullable(),
  id: z.string(),
  name: z.string(),
  state: z.string(),
  owner: z.string().nullable(),
  firstSeenAt: z.string(),
});
const read = page(key).extend({
  unread: z.array(z.object({ account: z.string(), part: z.string().nullable(), reason: z.string() })),
});
const owned = z.object({ account: z.string(), id: z.string(), name: z.string(), owner: z.string() });

export type Owner = Omit<KeyOwner, 'by'>;

/** Who owns which API key. */
export interface Keys {
  /** Read anew from the accounts. */
  read(filter: { account?: string; unattributed?: boolean }): Promise<Omit<z.infer<typeof read>, 'next'>>;
  /** @returns its name @throws SendoffError KEY_UNKNOWN, ACCOUNT_UNKNOWN */
  adopt(owner: Owner, id: string): Promise<string>;
  /** @returns its name @throws SendoffError KEY_UNKNOWN */
  changeOwner(owner: Omit<Owner, 'onLeave'>, id: string): Promise<string>;
  /** Makes a key in SendGrid; its secret is known this once. @throws SendoffError ACCOUNT_UNKNOWN */
  create(
    owner: Owner,
    wanted: { name: string; scopes: string[] },
  ): Promise<{ id: string; name: string; secret: string }>;
}

export function inDatabase({ db, by, config, policy, outside }: DatabaseSession): Keys {
  const clientOf = async (account: string) => {
    assertAccount(config(), account);
    const client = (await outside()).clients.get(account);
    if (client === undefined) throw new Error(`no client for ${account}`);
    return client;
  };
  return {
    async read(filter) {
      if (filter.account !== undefined) assertAccount(config(), filter.account);
      return readKeysAnew(db, policy(), (await outside()).clients, filter);
    },
    adopt: async (owner, id) => adoptKey(db, await clientOf(owner.account), { ...owner, by: by() }, id),
    changeOwner: (owner, id) => changeOwner(db, { ...owner, by: by() }, id),
    async create(owner, wanted) {
      const client = await clientOf(owner.account);
      const made = await createApiKey(owner.subuser === null ? client : inSubuser(client, owner.subuser), wanted);
      await registerOwner(db, { ...owner, by: by() }, made);
      return made;
    },
  };
}

export function atServer(server: Server): Keys {
  const path = ({ account }: Pick<Owner, 'account'>, id: string) =>
    `/keys/${encodeURIComponent(account)}/${encodeURIComponent(id)}`;
  return {
    read: (filter) => server.post('/keys/readings', read, filter, slowMs),
    async adopt(owner, id) {
      const { subuser, onLeave } = owner;
      const body = { owner: owner.owner, subuser: subuser ?? undefined, onLeave: onLeave ?? undefined };
      return (await server.post(`${path(owner, id)}/adopt`, owned, body)).name;
    },
    async changeOwner(owner, id) {
      const body = { owner: owner.owner, subuser: owner.subuser ?? undefined };
      return (await server.put(`${path(owner, id)}/owner`, owned, body)).name;
    },
    async create() {
      throw onlyBesideIt('keys create', 'the API changes nothing in SendGrid by itself and hands out no key');
    },
  };
}
