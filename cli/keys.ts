import { type Command, InvalidArgumentError } from 'commander';
import { policyOf } from '#shared/config/policy.js';
import { SendoffError } from '#shared/errors.js';
import { canonicalAddress } from '#shared/lifecycle/address.js';
import { adoptKey, changeOwner, type KeyOwner, registerOwner } from '#shared/operations/keys.js';
import { assertAddress } from '#shared/operations/orders.js';
import { openOutside } from '#shared/planning/surroundings.js';
import { createApiKey } from '#shared/sendgrid/api-keys.js';
import type { SendGridClient } from '#shared/sendgrid/client.js';
import { inSubuser } from '#shared/sendgrid/in-subuser.js';
import { readKeys, readSubusers } from '#shared/sendgrid/roster-parts.js';
import { openBreaker } from '#shared/store/accounts.js';
import type { Db } from '#shared/store/database.js';
import { type KeyItem, listKeys, noteKeys } from '#shared/store/key-register.js';
import { shortTime } from './listing.js';
import { addOperatorOption, type OperatorOptions, operatorOf } from './operator.js';
import { print, table } from './output.js';
import { commonOptions, configOf, environmentNow, withDatabase } from './session.js';

interface KeyOptions extends OperatorOptions {
  account: string;
  subuser?: string;
  owner: string;
  onLeave?: 'revoke' | 'successor';
}

export function addKeys(program: Command): void {
  const keys = program
    .command('keys')
    .description('who owns which API key: SendGrid does not say, and a key outlives whoever made it');

  addKeyOptions(keys.command('create'))
    .description('make an API key and register its owner; the key is shown this once')
    .requiredOption('--name <name>', 'name of the key in SendGrid')
    .requiredOption('--scope <scope...>', 'what it may do, such as mail.send')
    .action(async (options: KeyOptions & { name: string; scope: string[] }, command: Command) => {
      const common = commonOptions(command);
      assertAddress(options.owner);
      const made = await withAccount(common, options, async (db, client) => {
        const where = options.subuser === undefined ? client : inSubuser(client, options.subuser);
        const key = await createApiKey(where, { name: options.name, scopes: options.scope });
        await registerOwner(db, ownerOf(options), key);
        return key;
      });
      const document = {
        account: options.account,
        id: made.id,
        name: made.name,
        owner: canonicalAddress(options.owner),
        key: made.secret,
      };
      print(
        common.json,
        document,
        () => `${made.name} (${made.id}) belongs to ${options.owner}.\nIts key, shown this once:\n${made.secret}`,
      );
    });

  addKeyOptions(keys.command('adopt').argument('<id>'))
    .description('register who owns a key that exists')
    .action(async (id: string, options: KeyOptions, command: Command) => {
      const common = commonOptions(command);
      assertAddress(options.owner);
      const name = await withAccount(common, options, (db, client) => adoptKey(db, client, ownerOf(options), id));
      const document = { account: options.account, id, name, owner: canonicalAddress(options.owner) };
      print(common.json, document, () => `${name} (${id}) belongs to ${options.owner}.`);
    });

  addOperatorOption(keys.command('owner').argument('<id>').argument('<email>'))
    .description('give a registered key another owner')
    .requiredOption('--account <name>', 'the SendGrid account of the key')
    .option('--subuser <name>', 'the subuser of the key')
    .action(async (id: string, email: string, options: KeyOptions, command: Command) => {
      const common = commonOptions(command);
      assertAddress(email);
      await withDatabase(environmentNow(), ({ db }) => changeOwner(db, ownerOf({ ...options, owner: email }), id));
      const document = { account: options.account, id, owner: canonicalAddress(email) };
      print(common.json, document, () => `${id} belongs to ${email} now.`);
    });

  keys
    .command('list')
    .description('keys of the accounts, read anew, with their owners')
    .option('--account <name>', 'only this account')
    .option('--unattributed', 'only those without an owner')
    .action(async (options: { account?: string; unattributed?: boolean }, command: Command) => {
      const common = commonOptions(command);
      const { config } = configOf(common);
      const policy = policyOf(config);
      const items = await withDatabase(environmentNow(), async ({ db }) => {
        const { clients } = openOutside(db, config, policy, (name, why) => openBreaker(db, name, why));
        const own = new Set([...clients].map(([name, { keyId }]) => `${name} ${keyId}`));
        for (const { name, subusers } of policy.accounts) {
          const client = clients.get(name);
          if (client === undefined || (options.account !== undefined && options.account !== name)) continue;
          const swept = subusers === 'none' ? [] : (await readSubusers(client, subusers)).items.swept;
          const read = await readKeys(
            client,
            swept.map((one) => one.name),
          );
          await noteKeys(db, name, read.items, read.unread.length === 0);
          for (const { part, reason } of read.unread)
            process.stderr.write(`sendoff: ${name}: ${part} not read: ${reason}\n`);
        }
        // The keys that Sendoff itself works with are nobody's to ask about.
        return (await listKeys(db, options)).filter((key) => !own.has(`${key.account} ${key.id}`));
      });
      print(common.json, { items, next: null }, () => keyTable(items));
    });
}

function addKeyOptions(command: Command): Command {
  return addOperatorOption(command)
    .requiredOption('--account <name>', 'the SendGrid account of the key')
    .option('--subuser <name>', 'the subuser of the key')
    .requiredOption('--owner <email>', 'whose key it is')
    .option(
      '--on-leave <what>',
      'when the owner leaves: revoke or successor; default: offboarding.apiKeys.registered',
      (value) => {
        if (value !== 'revoke' && value !== 'successor') throw new InvalidArgumentError('revoke or successor');
        return value;
      },
    );
}

async function withAccount<T>(
  common: { config: string | undefined },
  options: KeyOptions,
  run: (db: Db, client: SendGridClient) => Promise<T>,
): Promise<T> {
  const { config } = configOf(common);
  return withDatabase(environmentNow(), async ({ db }) => {
    const { clients } = openOutside(db, config, policyOf(config), (name, why) => openBreaker(db, name, why));
    const client = clients.get(options.account);
    if (client === undefined) {
      throw new SendoffError(`there is no account ${options.account} in the configuration`, {
        code: 'ACCOUNT_UNKNOWN',
        blame: 'input',
        remedy: `there is ${Object.keys(config.accounts).join(', ')}`,
      });
    }
    return run(db, client);
  });
}

function ownerOf(options: KeyOptions): KeyOwner {
  const { account, subuser, owner, onLeave } = options;
  return { account, subuser: subuser ?? null, owner, onLeave: onLeave ?? null, by: operatorOf(options) };
}

function keyTable(items: KeyItem[]): string {
  return table(
    items,
    [
      { title: 'ACCOUNT', value: (key) => (key.subuser === null ? key.account : `${key.account} (${key.subuser})`) },
      { title: 'NAME', value: (key) => key.name },
      { title: 'STATE', value: (key) => key.state },
      { title: 'OWNER', value: (key) => key.owner },
      { title: 'KNOWN SINCE', value: (key) => shortTime(key.firstSeenAt) },
      { title: 'ID', value: (key) => key.id },
    ],
    'No keys.',
  );
}
