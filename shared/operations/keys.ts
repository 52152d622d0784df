import { appendAudit } from '#shared/audit/append.js';
import { SendoffError } from '#shared/errors.js';
import { canonicalAddress } from '#shared/lifecycle/address.js';
import type { Policy, Unread } from '#shared/lifecycle/types.js';
import { getApiKey } from '#shared/sendgrid/api-keys.js';
import type { SendGridClient } from '#shared/sendgrid/client.js';
import { inSubuser } from '#shared/sendgrid/in-subuser.js';
import { readKeys, readSubusers } from '#shared/sendgrid/roster-parts.js';
import type { Db } from '#shared/store/database.js';
import { type KeyItem, listKeys, noteKeys, registerKey } from '#shared/store/key-register.js';

/** Whose key it is to be, and who says so. */
export interface KeyOwner {
  account: string;
  subuser: string | null;
  owner: string;
  onLeave: 'revoke' | 'successor' | null;
  by: string;
}

/** Registers who owns a key. */
export async function registerOwner(db: Db, owner: KeyOwner, key: { id: string; name: string }): Promise<void> {
  const { account, subuser, onLeave, by } = owner;
  await db.transaction().execute(async (tx) => {
    await registerKey(tx, { ...owner, id: key.id, name: key.name });
    await appendAudit(tx, {
      kind: 'key.registered',
      account,
      person: { id: null, email: canonicalAddress(owner.owner) },
      actor: by,
      detail: { key: key.id, subuser, onLeave },
    });
  });
}

/** Registers who owns a key that SendGrid has. @returns its name @throws SendoffError KEY_UNKNOWN, and what the client throws */
export async function adoptKey(db: Db, client: SendGridClient, owner: KeyOwner, id: string): Promise<string> {
  const found = await getApiKey(owner.subuser === null ? client : inSubuser(client, owner.subuser), id);
  if (found === null) throw unknownKey(owner.account, id);
  await registerOwner(db, owner, found);
  return found.name;
}

/** Gives a key of the register another owner. @returns its name @throws SendoffError KEY_UNKNOWN */
export async function changeOwner(db: Db, owner: Omit<KeyOwner, 'onLeave'>, id: string): Promise<string> {
  const known = (await listKeys(db, { account: owner.account })).find(
    (key) => key.id === id && key.subuser === owner.subuser && key.state !== 'gone',
  );
  if (known === undefined) throw unknownKey(owner.account, id);
  await registerOwner(db, { ...owner, onLeave: known.onLeave }, known);
  return known.name;
}

/** Reads the keys of the accounts anew. What could not be read is listed as it was known, and said. */
export async function readKeysAnew(
  db: Db,
  policy: Policy,
  clients: ReadonlyMap<string, SendGridClient>,
  filter: { account?: string | undefined; unattributed?: boolean | undefined },
): Promise<{ items: KeyItem[]; unread: Unread[] }> {
  const unread: Unread[] = [];
  for (const { name, subusers } of policy.accounts) {
    const client = clients.get(name);
    if (client === undefined || (filter.account !== undefined && filter.account !== name)) continue;
    const swept = subusers === 'none' ? [] : (await readSubusers(client, subusers)).items.swept;
    const names = swept.map((one) => one.name);
    const read = await readKeys(client, names);
    await noteKeys(db, name, read.items, read.unread.length === 0);
    unread.push(...read.unread);
  }
  const { account, unattributed = false } = filter;
  const own = new Set([...clients].map(([name, { keyId }]) => `${name} ${keyId}`));
  const items = await listKeys(db, { ...(account === undefined ? {} : { account }), unattributed });
  // The keys that Sendoff itself works with are nobody's to ask about.
  return { items: items.filter((key) => !own.has(`${key.account} ${key.id}`)), unread };
}

function unknownKey(account: string, id: string): SendoffError {
  return new SendoffError(`there is no API key ${id} in ${account}`, {
    code: 'KEY_UNKNOWN',
    blame: 'input',
    remedy: `sendoff keys list --account ${account}`,
  });
}
